//! An executor over a TCP connection: the program starts itself once more, and its tasks run in that process. Natively only.

#[cfg(not(target_family = "wasm"))]
mod peer;

#[cfg(target_family = "wasm")]
fn main() {
    wasm_mt::println!("natively only: a page cannot listen");
}

#[cfg(not(target_family = "wasm"))]
fn main() {
    wasm_mt::run(program());
}

#[cfg(not(target_family = "wasm"))]
async fn program() -> Result<(), Box<dyn std::error::Error>> {
    use std::net::{TcpListener, TcpStream};
    use std::process::{self, Command};

    use wasm_mt::transport::Seal;
    use wasm_mt::{Executor, ExecutorExt, remote};

    let seal = Seal::new("a secret that all processes of the program know")?;
    if let Some(address) = std::env::args().nth(1) {
        return Ok(peer::serve(TcpStream::connect(address)?, &seal)?);
    }
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    let mut child = Command::new(std::env::current_exe()?).arg(address).spawn()?;
    let peer: Box<dyn Executor> = Box::new(peer::connect(listener.accept()?.0, &seal)?);

    let (this, scale) = (process::id(), 10);
    let other = peer.spawn_remote(remote!(|| process::id())).await?;
    let scaled = peer.spawn_remote(remote!(move || scale * 42)).await?;
    wasm_mt::println!("{scaled}, computed in {} process", if other == this { "this" } else { "another" });

    drop(peer); // closes the connection: then the other process ends
    child.wait()?;
    Ok(())
}
