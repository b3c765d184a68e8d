//! Listening sockets: of any kind, together, from elsewhere; and what becomes of a Unix socket's file.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpListener;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use longwire_reactor::{Reply, Server};

use crate::live::*;
use crate::stage::*;

/// A folder of its own for each test, removed with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("longwire-{}-{name}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn socket(&self) -> PathBuf {
        self.0.join("socket")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs until it is drained twice.
fn run(server: Server, threads: usize) -> (longwire_reactor::Remote, JoinHandle<()>) {
    let remote = server.remote();
    let app = |_| App::new().on_request(|_, request, _| Reply::page("text/plain", request.path().as_bytes().to_vec()));
    (remote, std::thread::spawn(move || server.run_threads(threads, app).unwrap()))
}

fn ask(path: &Path) -> String {
    let mut stream = UnixStream::connect(path).unwrap();
    stream.set_read_timeout(Some(BOUND)).unwrap();
    let asked = get("/hello").replace("localhost", "any.example").replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    stream.write_all(asked.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_unix_socket_is_served_by_all_loops_and_its_file_goes_with_them() {
    for threads in [1, 2] {
        let folder = Folder::new(&format!("goes-{threads}"));
        let (remote, thread) = run(Server::unix(folder.socket()).unwrap(), threads);
        for _ in 0..10 {
            assert!(ask(&folder.socket()).ends_with("/hello"));
        }
        remote.drain();
        thread.join().unwrap();
        assert!(!folder.socket().exists());
    }
}

#[test]
fn a_server_that_never_runs_leaves_no_file_either() {
    let folder = Folder::new("never");
    let server = Server::unix(folder.socket()).unwrap();
    assert!(folder.socket().exists());
    drop(server);
    assert!(!folder.socket().exists());
}

#[test]
fn a_dead_servers_file_is_replaced_and_a_live_ones_is_in_use() {
    let folder = Folder::new("dead");
    // Nobody removes the file of such a listener.
    drop(UnixListener::bind(folder.socket()).unwrap());
    assert!(folder.socket().exists());
    let (remote, thread) = run(Server::unix(folder.socket()).unwrap(), 1);
    assert!(ask(&folder.socket()).ends_with("/hello"));
    let error = Server::unix(folder.socket()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    assert!(error.to_string().contains(folder.socket().to_str().unwrap()), "{error}");
    assert!(ask(&folder.socket()).ends_with("/hello"), "the live one goes on");
    remote.drain();
    thread.join().unwrap();
}

#[test]
fn a_file_that_is_no_socket_is_left_alone() {
    let folder = Folder::new("file");
    fs::write(folder.socket(), "precious").unwrap();
    assert_eq!(Server::unix(folder.socket()).unwrap_err().kind(), ErrorKind::AddrInUse);
    assert_eq!(fs::read_to_string(folder.socket()).unwrap(), "precious");
    let link = folder.0.join("link");
    std::os::unix::fs::symlink(folder.socket(), &link).unwrap();
    assert_eq!(Server::unix(&link).unwrap_err().kind(), ErrorKind::AddrInUse);
    assert!(Server::unix(folder.0.join("missing/socket")).unwrap_err().to_string().contains("missing"));
}

#[test]
fn a_file_that_took_the_place_of_ours_is_left_alone() {
    let folder = Folder::new("other");
    let server = Server::unix(folder.socket()).unwrap();
    fs::remove_file(folder.socket()).unwrap();
    let other = UnixListener::bind(folder.socket()).unwrap();
    drop(server);
    assert!(folder.socket().exists());
    drop(other);
}

#[test]
fn listeners_of_all_kinds_serve_together() {
    let folder = Folder::new("all");
    let (own, theirs) = (folder.socket(), folder.0.join("theirs"));
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut addresses = vec![tcp.local_addr().unwrap()];
    let server = Server::from_listener(UnixListener::bind(&theirs).unwrap())
        .also_from(tcp)
        .also_unix(&own)
        .unwrap()
        .also("127.0.0.1:0")
        .unwrap();
    let names: Vec<String> = server.listeners().map(ToString::to_string).collect();
    assert!(names.contains(&format!("unix:{}", own.display())) && names.contains(&addresses[0].to_string()));
    assert_eq!((server.addresses().len(), names.len()), (2, 4));
    addresses = server.addresses();
    let (remote, thread) = run(server, 1);
    assert!(ask(&own).ends_with("/hello") && ask(&theirs).ends_with("/hello"));
    for address in addresses {
        let mut tcp = Tcp::connect(address);
        tcp.send(get("/hello").as_bytes());
        assert!(tcp.until(b"/hello").starts_with("HTTP/1.1 200 "));
    }
    remote.drain();
    remote.drain();
    thread.join().unwrap();
    assert!(!own.exists() && theirs.exists(), "what came from elsewhere is not ours to remove");
}

#[test]
fn an_address_that_cannot_be_had_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let error = Server::bind(address).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}

#[test]
fn an_ipv4_client_of_a_socket_for_both_families_has_an_ipv4_address() {
    let Ok(server) = Server::bind("[::]:0") else { return };
    let port = server.addresses()[0].port();
    let remote = server.remote();
    let app = App::new().on_request(|peer, _, _| {
        Reply::page("text/plain", peer.address().expect("an address").to_string().into_bytes())
    });
    let thread = std::thread::spawn(move || server.run(app).unwrap());
    let mut tcp = Tcp::connect(([127, 0, 0, 1], port).into());
    tcp.send(get("/").as_bytes());
    let own = tcp.stream.local_addr().unwrap().to_string();
    assert!(tcp.until(own.as_bytes()).starts_with("HTTP/1.1 200 "));
    remote.drain();
    remote.drain();
    thread.join().unwrap();
}
