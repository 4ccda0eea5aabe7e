//! An S3 server to try things with: `s3_server FOLDER [PORT]`. Its buckets are
//! the folder's folders; `flatbed-videos` is made. It is for tests alone.

#[path = "../tests/support/s3_server.rs"]
mod s3_server;

use std::error::Error;
use std::path::PathBuf;

use s3_server::S3Server;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let root: PathBuf = arguments.next().ok_or("s3_server FOLDER [PORT]")?.into();
    let port = arguments.next().map_or(Ok(0), |port| port.parse())?;
    std::fs::create_dir_all(root.join("flatbed-videos"))?;
    let server = S3Server::start(&root, port).await?;
    println!("{}", server.url());
    std::future::pending::<()>().await;
    Ok(())
}
