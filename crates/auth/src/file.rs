//! Users in a file, which is read again when it has changed.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use data_encoding::BASE64;
use jiff::Timestamp;
use parking_lot::Mutex;
use sasl::{Keys, Mechanism, Password, Secret, Server, Step};
use tokio::sync::Semaphore;
use world::World;

use crate::users::{hashed, verify};
use crate::{
    About, Authenticator, Exchange, Failure, FileError, Login, Offered, Progress, Unavailable,
    Users, Why,
};

/// How long a client may wait for its turn to have its password checked.
const TURN: Duration = Duration::from_secs(20);
/// How often, at most, the file is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// The largest file: some hundred thousand users.
const LARGEST: u64 = 64 << 20;

/// The users of a file.
#[derive(Clone)]
pub struct UserFile(Arc<Shared>);

struct Shared {
    world: World,
    path: PathBuf,
    /// Each password that is checked takes memory (19 MiB) and a core.
    turns: Semaphore,
    known: Mutex<Known>,
    /// For a file that has none of its own.
    secret: Secret,
    /// A hash that no password has, so that names that nobody has take as long as others.
    nobody: OnceLock<String>,
}

#[derive(Default)]
struct Known {
    looked: Option<Timestamp>,
    text: Vec<u8>,
    users: Option<Arc<Users>>,
    /// What is wrong with the file as it is now; the users are then those of before.
    problem: Option<FileError>,
}

impl std::fmt::Debug for UserFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("UserFile").field(&self.0.path).finish()
    }
}

impl UserFile {
    /// Opens it. An error now is an error of the configuration; one that comes later leaves the users as
    /// they were.
    pub fn open(world: World, path: PathBuf) -> Result<UserFile, FileError> {
        let mut secret = [0; 32];
        world.random.fill(&mut secret);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let shared = Shared {
            world,
            path,
            turns: Semaphore::new(cores.clamp(1, 4)),
            known: Mutex::default(),
            secret: Secret::new(secret),
            nobody: OnceLock::new(),
        };
        shared.look();
        let problem = shared.known.lock().problem.clone();
        match problem {
            Some(problem) => Err(problem),
            None => Ok(UserFile(Arc::new(shared))),
        }
    }

    /// The users as they are now.
    async fn users(&self) -> Result<Arc<Users>, Unavailable> {
        let shared = Arc::clone(&self.0);
        if shared.is_time_to_look() {
            let looked = tokio::task::spawn_blocking(move || shared.look()).await;
            looked.map_err(|_| Unavailable::Busy)?;
        }
        let known = self.0.known.lock();
        match (&known.users, &known.problem) {
            (Some(users), _) => Ok(Arc::clone(users)),
            (None, Some(problem)) => Err(problem.clone().into()),
            (None, None) => Err(Unavailable::Busy),
        }
    }

    async fn check(&self, name: String, password: Password) -> Result<Login, Failure> {
        let unavailable = Failure::Unavailable;
        let users = self.users().await.map_err(unavailable)?;
        // Not on the threads that serve clients, and not more at a time than there is memory for.
        let turn = tokio::time::timeout(TURN, self.0.turns.acquire()).await;
        let Ok(Ok(_turn)) = turn else {
            return Err(Failure::Unavailable(Unavailable::Busy));
        };
        let shared = Arc::clone(&self.0);
        let work = move || match users.find(&name) {
            Some(user) if user.has(&password) => Ok(user.name.clone()),
            Some(_) => Err(Failure::refused(name, Why::WrongPassword)),
            None => {
                // The answer is known; the time it takes must not tell it.
                let _ = verify(shared.nobody(), &password);
                Err(Failure::refused(name, Why::NoSuchUser))
            }
        };
        let worked = tokio::task::spawn_blocking(work).await;
        let name = worked.map_err(|_| Failure::Unavailable(Unavailable::Busy))??;
        Ok(Login { name })
    }

    async fn keys(&self, name: &str) -> Result<Keys, Failure> {
        let users = self.users().await.map_err(Failure::Unavailable)?;
        let real = users.find(name).and_then(|user| user.keys()).cloned();
        let secret = users.secret().unwrap_or(&self.0.secret);
        Ok(real.unwrap_or_else(|| secret.keys_for(&name.to_lowercase())))
    }
}

impl Shared {
    fn is_time_to_look(&self) -> bool {
        let now = self.world.clock.now();
        let looked = self.known.lock().looked;
        // A clock that was set back is no reason not to look.
        looked.is_none_or(|at| {
            let since: Result<Duration, _> = now.duration_since(at).try_into();
            since.is_err() || since.is_ok_and(|since| since >= LOOK)
        })
    }

    /// Reads the file, and takes over what has changed in it.
    fn look(&self) {
        let now = self.world.clock.now();
        let path = || self.path.display().to_string();
        let read = self.read().map_err(|error| FileError::Unreadable {
            path: path(),
            reported: error.to_string(),
        });
        let mut known = self.known.lock();
        known.looked = Some(now);
        let parsed = match read {
            Ok(text) if known.users.is_some() && known.problem.is_none() && text == known.text => {
                return;
            }
            Ok(text) => {
                let parsed = parse(&text, &path());
                known.text = text;
                parsed
            }
            Err(error) => Err(error),
        };
        match parsed {
            Ok(users) => {
                if known.users.is_some() {
                    tracing::info!(
                        file = path(),
                        users = users.iter().count(),
                        "users read again"
                    );
                }
                known.users = Some(Arc::new(users));
                known.problem = None;
            }
            Err(problem) => {
                if known.problem.as_ref() != Some(&problem) && known.users.is_some() {
                    tracing::error!(%problem, "the file of users cannot be used; those of before go on");
                }
                known.problem = Some(problem);
            }
        }
    }

    fn read(&self) -> io::Result<Vec<u8>> {
        let file = self.world.disk.open(&self.path)?;
        let size = file.size()?;
        if size > LARGEST {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let mut text = vec![0; usize::try_from(size).unwrap_or(0)];
        let mut have = 0;
        while have < text.len() {
            match file.read_at(have as u64, &mut text[have..])? {
                0 => break,
                more => have += more,
            }
        }
        text.truncate(have);
        Ok(text)
    }

    fn nobody(&self) -> &str {
        self.nobody.get_or_init(|| {
            let (mut password, mut salt) = ([0; 32], [0; 16]);
            self.world.random.fill(&mut password);
            self.world.random.fill(&mut salt);
            let password = Password::new(BASE64.encode(&password));
            hashed(&password, &salt).unwrap_or_default()
        })
    }
}

fn parse(text: &[u8], path: &str) -> Result<Users, FileError> {
    let path = path.to_owned();
    let Ok(text) = std::str::from_utf8(text) else {
        return Err(FileError::NotText { path });
    };
    Users::parse(text).map_err(|(line, problem)| FileError::Line {
        path,
        line,
        problem,
    })
}

#[async_trait]
impl Authenticator for UserFile {
    async fn mechanisms(&self) -> Vec<Offered> {
        let offered = |mechanism: Mechanism| Offered {
            name: mechanism.name().to_owned(),
            sends_password: mechanism.sends_password(),
        };
        Mechanism::ALL.map(offered).to_vec()
    }

    fn begin(&self, mechanism: &str, _about: &About) -> Box<dyn Exchange> {
        let mut nonce = [0; 18];
        self.0.world.random.fill(&mut nonce);
        // Nobody is offered anything else than what can be found.
        let mechanism = Mechanism::find(mechanism).unwrap_or(Mechanism::ScramSha256);
        Box::new(Talk {
            file: self.clone(),
            server: Server::new(mechanism, BASE64.encode(&nonce)),
            name: None,
        })
    }
}

/// One exchange.
struct Talk {
    file: UserFile,
    server: Server,
    /// Whose keys were asked for.
    name: Option<String>,
}

#[async_trait]
impl Exchange for Talk {
    async fn respond(&mut self, response: Option<&[u8]>) -> Progress {
        match self.step(response).await {
            Ok(progress) => progress,
            Err(failure) => Progress::Failed(failure),
        }
    }
}

impl Talk {
    async fn step(&mut self, response: Option<&[u8]>) -> Result<Progress, Failure> {
        let mut step = self.server.respond(response);
        loop {
            let name = self.name.clone();
            match step.map_err(|refused| refusal(name, refused))? {
                Step::Challenge(challenge) => return Ok(Progress::Challenge(challenge)),
                Step::Check { name, password } => {
                    return self.file.check(name, password).await.map(Progress::Done);
                }
                Step::Keys { name } => {
                    let keys = self.file.keys(&name).await?;
                    self.name = Some(name);
                    step = self.server.keys(keys);
                }
                Step::Done { name } => {
                    let users = self.file.users().await.map_err(Failure::Unavailable)?;
                    // Removed between challenge and response.
                    let user = users.find(&name);
                    let user = user.ok_or_else(|| Failure::refused(name, Why::NoSuchUser))?;
                    let name = user.name.clone();
                    return Ok(Progress::Done(Login { name }));
                }
            }
        }
    }
}

fn refusal(name: Option<String>, refused: sasl::Refused) -> Failure {
    match refused {
        sasl::Refused::WrongProof => Failure::refused(name, Why::WrongPassword),
        other => Failure::refused(name, other),
    }
}
