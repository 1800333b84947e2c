//! The HTTP API: what was received, as JSON, for tests to assert on.
//!
//! | request | answer |
//! |---|---|
//! | `GET /` | what there is |
//! | `GET /messages?from=&to=&subject=` | the messages that fit, oldest first |
//! | `GET /messages/wait?count=N&timeout=S&…` | the same, once there are so many; 408 where they do not come |
//! | `GET /messages/N`, `GET /messages/N/raw` | a message with its header and texts; as it travelled |
//! | `DELETE /messages`, `DELETE /messages/N` | forgets |
//! | `GET /sessions`, `GET /sessions/N`, `DELETE /sessions` | the sessions; one with all that was said |
//! | `GET /authority` | the certificate of the sink's own authority, in PEM |
//! | `PUT /script?seed=N` | another script from here on, nothing counted; 400 with its errors |

mod message;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use crate::kept::Message;
use crate::pattern::Pattern;
use crate::script::Script;
use crate::serve::Shared;

/// The longest script that is taken.
const LONGEST_SCRIPT: usize = 256 * 1024;
/// How long a request may wait for messages.
const LONGEST_WAIT: f64 = 600.0;
/// How long to wait when the system gives no connection.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves the API without an end.
pub(crate) async fn serve(port: world::Listener, shared: Arc<Shared>) {
    let router = Router::new()
        .route("/", get(overview))
        .route("/messages", get(messages).delete(forget_messages))
        .route("/messages/wait", get(wait))
        .route("/messages/{id}", get(one_message).delete(forget_message))
        .route("/messages/{id}/raw", get(raw))
        .route("/sessions", get(sessions).delete(forget_sessions))
        .route("/sessions/{id}", get(one_session))
        .route("/authority", get(authority))
        .route("/script", put(script))
        .layer(DefaultBodyLimit::max(LONGEST_SCRIPT))
        .with_state(shared);
    // It ends only with the sink.
    let _ = axum::serve(Port(port), router).await;
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

type At = State<Arc<Shared>>;

async fn overview(State(shared): At) -> Json<Value> {
    Json(json!({
        "messages": shared.kept.messages().len(),
        "sessions": shared.kept.sessions().len(),
        "seed": shared.plan().seed,
        "title": shared.plan().script.about.title,
        "requests": [
            "GET /messages?from=&to=&subject=", "GET /messages/wait?count=1&timeout=10", "GET /messages/N",
            "GET /messages/N/raw", "DELETE /messages", "DELETE /messages/N", "GET /sessions", "GET /sessions/N",
            "DELETE /sessions", "GET /authority", "PUT /script?seed=N",
        ],
    }))
}

/// Which messages; patterns with `*`.
#[derive(Debug, Default, Deserialize)]
struct Which {
    from: Option<String>,
    to: Option<String>,
    subject: Option<String>,
    count: Option<usize>,
    timeout: Option<f64>,
}

impl Which {
    fn messages(&self, shared: &Shared) -> Vec<Arc<Message>> {
        let pattern = |text: &Option<String>| text.as_deref().map(Pattern::new);
        let (from, to, subject) = (
            pattern(&self.from),
            pattern(&self.to),
            pattern(&self.subject),
        );
        let mut all = shared.kept.messages();
        all.retain(|message| {
            from.as_ref().is_none_or(|p| p.fits(&message.from))
                && to
                    .as_ref()
                    .is_none_or(|p| message.to.iter().any(|to| p.fits(to)))
                && subject
                    .as_ref()
                    .is_none_or(|p| p.fits(&message::subject(message)))
        });
        all
    }
}

async fn messages(State(shared): At, Query(which): Query<Which>) -> Json<Value> {
    Json(message::list(&which.messages(&shared)))
}

async fn wait(State(shared): At, Query(which): Query<Which>) -> (StatusCode, Json<Value>) {
    let wanted = which.count.unwrap_or(1);
    let seconds = which.timeout.unwrap_or(10.0);
    let seconds = if seconds.is_finite() {
        seconds.clamp(0.0, LONGEST_WAIT)
    } else {
        LONGEST_WAIT
    };
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let mut changes = shared.kept.changes();
    loop {
        let found = which.messages(&shared);
        if found.len() >= wanted {
            return (StatusCode::OK, Json(message::list(&found)));
        }
        if !matches!(timeout_at(end, changes.changed()).await, Ok(Ok(()))) {
            return (StatusCode::REQUEST_TIMEOUT, Json(message::list(&found)));
        }
    }
}

fn missing(what: &str) -> Response {
    (StatusCode::NOT_FOUND, Json(json!({ "error": what }))).into_response()
}

const NO_MESSAGE: &str = "there is no such message (any more)";

async fn one_message(State(shared): At, Path(id): Path<u64>) -> Response {
    match shared.kept.message(id) {
        Some(message) => Json(message::whole(&message)).into_response(),
        None => missing(NO_MESSAGE),
    }
}

async fn raw(State(shared): At, Path(id): Path<u64>) -> Response {
    match shared.kept.message(id) {
        Some(message) => {
            let kind = [
                (header::CONTENT_TYPE, "message/rfc822"),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            ];
            (kind, message.content.clone()).into_response()
        }
        None => missing(NO_MESSAGE),
    }
}

async fn forget_message(State(shared): At, Path(id): Path<u64>) -> Response {
    if shared.kept.forget(id) {
        Json(json!({ "forgotten": 1 })).into_response()
    } else {
        missing(NO_MESSAGE)
    }
}

async fn forget_messages(State(shared): At) -> Json<Value> {
    Json(json!({ "forgotten": shared.kept.forget_messages() }))
}

async fn sessions(State(shared): At) -> Json<Value> {
    let sessions = shared.kept.sessions();
    let summaries: Vec<_> = sessions.iter().map(|one| one.summary(false)).collect();
    Json(json!({ "sessions": summaries }))
}

async fn one_session(State(shared): At, Path(id): Path<u64>) -> Response {
    match shared.kept.session(id) {
        Some(session) => Json(session.summary(true)).into_response(),
        None => missing("there is no such session (any more)"),
    }
}

async fn forget_sessions(State(shared): At) -> Json<Value> {
    Json(json!({ "forgotten": shared.kept.forget_sessions() }))
}

async fn authority(State(shared): At) -> Response {
    match shared.vault.authority() {
        Ok(pem) => {
            let kind = [(header::CONTENT_TYPE, "application/x-pem-file")];
            (kind, pem).into_response()
        }
        Err(error) => {
            let answer = Json(json!({ "error": error.to_string() }));
            (StatusCode::INTERNAL_SERVER_ERROR, answer).into_response()
        }
    }
}

#[derive(Debug, Default, Deserialize)]
struct Seed {
    seed: Option<u64>,
}

async fn script(State(shared): At, Query(seed): Query<Seed>, text: String) -> Response {
    match Script::parse(&text) {
        Ok(script) => {
            shared.replace(script, seed.seed);
            Json(json!({ "seed": shared.plan().seed })).into_response()
        }
        Err(errors) => {
            let problems = errors.render("script", &text, false);
            let answer = Json(json!({ "error": problems }));
            (StatusCode::BAD_REQUEST, answer).into_response()
        }
    }
}
