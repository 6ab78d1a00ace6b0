//! A fake on a real socket.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::json;
use tokio::{
    io::{AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

use super::{
    Fault,
    control::Control,
    message::{Answer, Request},
};

/// More than any client reads of one answer.
const FLOOD_BYTES: usize = 64 << 20;

/// A published API, in memory.
pub trait Service: Send + 'static {
    /// Answers a request.
    fn answer(&mut self, request: &Request) -> Answer;

    /// What tells calls apart, where their method and path do not.
    fn title(&self, request: &Request) -> Option<String> {
        let _ = request;
        None
    }

    /// How the service words a refusal.
    fn refusal(&self, status: u16) -> Answer {
        Answer::json(status, &json!({"message": "made to fail"}))
    }
}

/// A service on a socket of loopback. It is gone when this is dropped.
#[derive(Debug)]
pub struct FakeService<S> {
    address: SocketAddr,
    control: Control,
    service: Arc<Mutex<S>>,
    serving: JoinHandle<()>,
}

impl<S: Service> FakeService<S> {
    /// Starts a service, which is told where it listens.
    pub async fn start(service: impl FnOnce(SocketAddr) -> S) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (control, service) = (Control::default(), Arc::new(Mutex::new(service(address))));
        let serving = tokio::spawn(serve(listener, control.clone(), Arc::clone(&service)));
        Ok(Self { address, control, service, serving })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The handle by which it is made to misbehave.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// The service itself.
    pub fn service(&self) -> MutexGuard<'_, S> {
        self.service.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S> Drop for FakeService<S> {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve<S: Service>(listener: TcpListener, control: Control, service: Arc<Mutex<S>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        control.connected();
        connections.spawn(talk(stream, control.clone(), Arc::clone(&service)));
        while connections.try_join_next().is_some() {}
    }
}

async fn talk<S: Service>(stream: TcpStream, control: Control, service: Arc<Mutex<S>>) {
    let mut stream = BufReader::new(stream);
    // How a connection ends is the client's affair.
    while let Ok(Some(request)) = Request::read(&mut stream).await {
        let title = service.lock().unwrap_or_else(PoisonError::into_inner).title(&request);
        let fault = control.begin(&request, title);
        let goes_on = answer(stream.get_mut(), &request, fault, &service).await;
        control.end();
        if !goes_on.unwrap_or(false) {
            return;
        }
    }
}

/// Answers one request; says whether the connection goes on.
async fn answer<S: Service>(
    stream: &mut TcpStream,
    request: &Request,
    fault: Fault,
    service: &Mutex<S>,
) -> io::Result<bool> {
    let right = || service.lock().unwrap_or_else(PoisonError::into_inner).answer(request);
    let refusal = |status| service.lock().unwrap_or_else(PoisonError::into_inner).refusal(status);
    let answer = match fault {
        Fault::None => right(),
        Fault::Silent => return hung_up(stream).await,
        Fault::Slams => return Ok(false),
        Fault::Slow(delay) => tokio::select! {
            () = tokio::time::sleep(delay) => right(),
            end = hung_up(stream) => return end,
        },
        Fault::Status(status) => refusal(status),
        Fault::Busy(None) => refusal(429),
        Fault::Busy(Some(seconds)) => refusal(429).with("retry-after", seconds.to_string()),
        Fault::Redirects => Answer::empty(302).with("location", "http://127.0.0.1:9/elsewhere"),
        Fault::Babbles => Answer::text(200, "text/html", "<html>It works!</html>"),
        Fault::Truncates => {
            let mut answer = right();
            answer.body.truncate(answer.body.len() / 2);
            answer
        }
        Fault::BreaksOff => {
            let answer = right();
            stream.write_all(answer.head(answer.body.len() + 1).as_bytes()).await?;
            stream.write_all(&answer.body).await?;
            return Ok(false);
        }
        Fault::Floods => return flood(stream).await,
    };
    stream.write_all(answer.head(answer.body.len()).as_bytes()).await?;
    stream.write_all(&answer.body).await?;
    Ok(true)
}

/// Waits until the client has had enough.
async fn hung_up(stream: &TcpStream) -> io::Result<bool> {
    stream.peek(&mut [0]).await.map(|_| false)
}

async fn flood(stream: &mut TcpStream) -> io::Result<bool> {
    let answer = Answer::text(200, "application/json", "");
    stream.write_all(answer.head(FLOOD_BYTES).as_bytes()).await?;
    let piece = [b' '; 64 << 10];
    for _ in 0..FLOOD_BYTES / piece.len() {
        stream.write_all(&piece).await?;
    }
    Ok(false)
}
