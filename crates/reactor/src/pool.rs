//! Large buffers that were used, for the next that are needed. Their pages are there: fresh ones would cost a fault each, which is more
//! than what is copied into them. Nothing is kept for longer than anybody is connected, and of a small budget little.

/// See the top of this file. By default it keeps nothing.
#[derive(Default)]
pub(crate) struct Pool {
    /// Memory that messages in pieces were put together in. What stands in it is of no account.
    pub(crate) messages: Shelf,
    /// Blocks of queues, of the largest size.
    pub(crate) blocks: Shelf,
}

impl Pool {
    /// Four messages of 1 MiB, and what stands before one in its memory.
    const MESSAGES: usize = 4 * ((1 << 20) + (4 << 10));
    const BLOCKS: usize = 1 << 20;

    /// One for a loop whose connections may pin so many bytes.
    pub(crate) fn new(budget: usize) -> Self {
        let shelf = |room| Shelf { buffers: Vec::new(), room };
        Self { messages: shelf(Self::MESSAGES.min(budget / 64)), blocks: shelf(Self::BLOCKS.min(budget / 256)) }
    }
}

/// Buffers of one kind.
#[derive(Default)]
pub(crate) struct Shelf {
    buffers: Vec<Vec<u8>>,
    /// So many bytes more may be kept.
    room: usize,
}

impl Shelf {
    /// A buffer that was kept, as it was.
    pub(crate) fn take(&mut self) -> Option<Vec<u8>> {
        let buffer = self.buffers.pop()?;
        self.room += buffer.capacity();
        Some(buffer)
    }

    /// Keeps a buffer, if there is room for it.
    pub(crate) fn keep(&mut self, buffer: Vec<u8>) {
        if (1..=self.room).contains(&buffer.capacity()) {
            self.room -= buffer.capacity();
            self.buffers.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_bounded_in_bytes() {
        let mut shelf = Shelf { buffers: Vec::new(), room: 100 };
        for capacity in [0, 60, 101, 41, 40, 1] {
            shelf.keep(Vec::with_capacity(capacity));
        }
        let mut kept = || shelf.take().map(|buffer| buffer.capacity());
        assert_eq!([kept(), kept(), kept()], [Some(40), Some(60), None]);
        shelf.keep(vec![7; 100]);
        assert_eq!(shelf.take(), Some(vec![7; 100]), "there is room again, and it is as it was");
    }

    #[test]
    fn a_small_budget_keeps_little() {
        for (budget, messages, blocks) in
            [(0, 0, 0), (2 << 20, 32 << 10, 8 << 10), (256 << 20, 4 << 20, 1 << 20), (8 << 30, Pool::MESSAGES, 1 << 20)]
        {
            let pool = Pool::new(budget);
            assert_eq!((pool.messages.room, pool.blocks.room), (messages, blocks), "{budget}");
        }
    }
}
