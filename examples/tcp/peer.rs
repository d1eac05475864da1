//! The client and the server of a connection. A frame is the length of a message, and the message.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc;
use std::thread;

use wasm_mt::transport::{Client, Seal, Server};
use wasm_mt::{Error, Pool};

/// An executor whose tasks run in the process at the other end.
pub(crate) fn connect(stream: TcpStream, seal: &Seal) -> io::Result<Client> {
    let reader = stream.try_clone()?;
    let (client, incoming) = Client::new(seal, thread::available_parallelism()?.get(), writer(stream));
    thread::spawn(move || {
        let end = read_all(reader, |message| incoming.receive(&message));
        incoming.disconnect(format!("the connection to it has ended ({end})"));
    });
    Ok(client)
}

/// Runs the tasks that come, until the connection ends.
pub(crate) fn serve(mut stream: TcpStream, seal: &Seal) -> io::Result<()> {
    let server = Server::new(seal, Pool::new(), writer(stream.try_clone()?));
    let end = read_all(stream.try_clone()?, |message| server.receive(&message));
    drop(server);
    io::copy(&mut stream, &mut io::sink())?; // until the client, which can tell what is wrong, ends it too
    if end.kind() == ErrorKind::UnexpectedEof { Ok(()) } else { Err(end) }
}

/// Sends messages on a thread of its own, and ends the connection when nobody has what sends any more.
fn writer(mut stream: TcpStream) -> impl Fn(Vec<u8>) + Send + Sync {
    let (sender, messages) = mpsc::channel::<Vec<u8>>();
    thread::spawn(move || {
        stream.set_nodelay(true)?;
        messages.iter().try_for_each(|message| {
            stream.write_all(&[&(message.len() as u32).to_le_bytes(), message.as_slice()].concat())
        })?;
        stream.shutdown(Shutdown::Write)
    });
    move |message| sender.send(message).unwrap_or(()) // if that fails, reading ends too
}

/// Gives the messages that come to `receive`, and at last what ended the connection.
fn read_all(mut stream: TcpStream, receive: impl Fn(Vec<u8>) -> Result<(), Error>) -> io::Error {
    let mut read = || {
        let mut length = [0; 4];
        stream.read_exact(&mut length)?;
        let mut message = Vec::new(); // grows with what comes, whatever the length says
        let length = u32::from_le_bytes(length).into();
        (&stream).take(length).read_to_end(&mut message)?;
        receive(message).map_err(io::Error::other)
    };
    loop {
        if let Err(error) = read() {
            return error;
        }
    }
}
