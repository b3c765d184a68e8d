//! Large buffers that were used, for the next that are needed. Their pages are there: fresh ones would cost a fault each, which is more
//! than what is copied into them. Nothing is kept for longer than anybody is connected.

/// See the top of this file.
#[derive(Default)]
pub(crate) struct Pool {
    messages: Vec<Vec<u8>>,
    blocks: Vec<Vec<u8>>,
}

impl Pool {
    /// So many are kept, which a message was put together in, …
    const MESSAGES: usize = 4;
    /// … of at most so many bytes: a message of 1 MiB, and what stands before it in its memory.
    const LONGEST: usize = (1 << 20) + (4 << 10);
    /// So many blocks of queues: 1 MiB in all.
    const BLOCKS: usize = 16;

    /// Memory for a message in pieces. What stands in it is of no account.
    pub(crate) fn message(&mut self) -> Option<Vec<u8>> {
        self.messages.pop()
    }

    /// Takes the memory of a message back.
    pub(crate) fn keep_message(&mut self, memory: Vec<u8>) {
        if self.messages.len() < Self::MESSAGES && (1..=Self::LONGEST).contains(&memory.capacity()) {
            self.messages.push(memory);
        }
    }

    /// A block of the largest size, with nothing in it.
    pub(crate) fn block(&mut self) -> Option<Vec<u8>> {
        self.blocks.pop()
    }

    /// Takes a block of the largest size back.
    pub(crate) fn keep_block(&mut self, mut block: Vec<u8>) {
        if self.blocks.len() < Self::BLOCKS {
            block.clear();
            self.blocks.push(block);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_a_few_and_no_giants() {
        let mut pool = Pool::default();
        for capacity in [0, 1, Pool::LONGEST, Pool::LONGEST + 1, 2, 3, 4] {
            pool.keep_message(Vec::with_capacity(capacity));
        }
        let kept: Vec<_> = std::iter::from_fn(|| pool.message()).map(|memory| memory.capacity()).collect();
        assert_eq!(kept, [3, 2, Pool::LONGEST, 1]);
    }

    #[test]
    fn a_block_comes_back_empty() {
        let mut pool = Pool::default();
        assert!(pool.block().is_none());
        (0..100).for_each(|_| pool.keep_block(vec![7; 10]));
        let kept: Vec<_> = std::iter::from_fn(|| pool.block()).collect();
        assert_eq!(kept.len(), Pool::BLOCKS);
        assert!(kept.iter().all(|block| block.is_empty() && block.capacity() == 10));
    }
}
