//! Between the loop and its sockets: which connection has which socket, and what may be asked of it.

use std::io::{self, IoSlice};
use std::net::{IpAddr, SocketAddr};

use crate::side::Side;
use crate::slots::{Key, pack};
use crate::sys::Sys;

/// What callbacks may ask of the machine, without knowing which machine it is.
pub(crate) trait Machine {
    fn write(&mut self, slot: u32, buffers: &[IoSlice<'_>]) -> io::Result<usize>;
    fn connect(&mut self, key: Key, address: SocketAddr, source: Option<IpAddr>) -> io::Result<()>;
    fn entropy(&mut self, bytes: &mut [u8]);
}

/// The machine and all sockets of one loop.
pub(crate) struct Wires<S: Sys> {
    pub(crate) sys: S,
    sockets: Side<S::Socket>,
}

impl<S: Sys> Wires<S> {
    pub(crate) const fn new(sys: S) -> Self {
        Self { sys, sockets: Side::new() }
    }

    /// Gives a connection its socket and asks for its edges.
    pub(crate) fn attach(&mut self, key: Key, socket: S::Socket) -> io::Result<()> {
        let registered = self.sys.register(&socket, pack(key, usize::BITS) as usize);
        self.sockets.insert(key.slot, socket);
        registered
    }

    /// Whether a connection has a socket.
    pub(crate) fn holds(&self, slot: u32) -> bool {
        self.sockets.get(slot).is_some()
    }

    /// How many sockets there are.
    pub(crate) fn count(&self) -> usize {
        self.sockets.len()
    }

    #[inline]
    pub(crate) fn read(&mut self, slot: u32, buffer: &mut [u8]) -> io::Result<usize> {
        match self.sockets.get(slot) {
            Some(socket) => self.sys.read(socket, buffer),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    pub(crate) fn connected(&mut self, slot: u32) -> io::Result<()> {
        match self.sockets.get(slot) {
            Some(socket) => self.sys.connected(socket),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    pub(crate) fn shutdown(&mut self, slot: u32) {
        if let Some(socket) = self.sockets.get(slot) {
            self.sys.shutdown(socket);
        }
    }

    pub(crate) fn close(&mut self, slot: u32) {
        if let Some(socket) = self.sockets.remove(slot) {
            self.sys.close(socket);
        }
    }
}

impl<S: Sys> Machine for Wires<S> {
    #[inline]
    fn write(&mut self, slot: u32, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        match self.sockets.get(slot) {
            Some(socket) => self.sys.write(socket, buffers),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn connect(&mut self, key: Key, address: SocketAddr, source: Option<IpAddr>) -> io::Result<()> {
        let socket = self.sys.connect(address, source)?;
        self.attach(key, socket).inspect_err(|_| self.close(key.slot))
    }

    fn entropy(&mut self, bytes: &mut [u8]) {
        self.sys.entropy(bytes);
    }
}
