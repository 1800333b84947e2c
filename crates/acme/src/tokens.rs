//! What the authority asks for to see that a name is ours: HTTP-01 (RFC 8555 §8.3).

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use parking_lot::Mutex;

/// How long to wait when the system gives no connection.
const PAUSE: Duration = Duration::from_millis(100);

/// Tokens with their key authorizations, while a challenge is under way. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    known: Arc<Mutex<HashMap<String, String>>>,
}

impl Tokens {
    pub(crate) fn add(&self, token: &str, authorization: &str) {
        let mut known = self.known.lock();
        known.insert(token.to_owned(), authorization.to_owned());
    }

    pub(crate) fn clear(&self) {
        self.known.lock().clear();
    }

    /// Answers the authority on this port, without an end. What is asked for beside is not found.
    pub async fn serve(self, port: world::Listener) {
        let router = Router::new()
            .route("/.well-known/acme-challenge/{token}", get(answer))
            .with_state(self);
        // It ends only with the relay.
        let _ = axum::serve(Port(port), router).await;
    }
}

async fn answer(State(tokens): State<Tokens>, Path(token): Path<String>) -> Response {
    let found = tokens.known.lock().get(&token).cloned();
    match found {
        Some(authorization) => {
            tracing::debug!(token, "the authority asks whether a name is ours");
            let kind = [(header::CONTENT_TYPE, "application/octet-stream")];
            (kind, authorization).into_response()
        }
        None => (StatusCode::NOT_FOUND, "no such challenge\n").into_response(),
    }
}

/// The world's listener as axum wants it.
struct Port(world::Listener);

impl axum::serve::Listener for Port {
    type Io = world::Stream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (world::Stream, SocketAddr) {
        loop {
            match self.0.accept().await {
                Ok(accepted) => return accepted,
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.0.local_addr()
    }
}
