//! Taking the content of a message as it comes in.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use queue::{Body, BodyWriter, MessageId, StoreError};
use world::DiskFile;

use crate::body::{Bodies, FileBody, INLINE, blocking};
use crate::error::io_error;
use crate::room::RESERVE;

/// Bytes that are gathered before they are written to the file.
const CHUNK: usize = 256 << 10;

/// Content in the making.
pub(crate) struct Staging {
    id: MessageId,
    /// `None` where all content stays in memory.
    bodies: Option<Arc<Bodies>>,
    buffer: Vec<u8>,
    spill: Option<Spill>,
    failed: Option<StoreError>,
}

impl Staging {
    pub(crate) fn new(id: MessageId, bodies: Option<Arc<Bodies>>) -> Staging {
        Staging {
            id,
            bodies,
            buffer: Vec::new(),
            spill: None,
            failed: None,
        }
    }

    /// Writes the buffer to the file, which is made if there is none.
    async fn spill(&mut self, bodies: &Arc<Bodies>) -> Result<(), StoreError> {
        let (id, bodies) = (self.id, bodies.clone());
        let (spill, mut buffer) = (self.spill.take(), std::mem::take(&mut self.buffer));
        let (spill, buffer) = blocking(move || {
            let mut spill = match spill {
                Some(spill) => spill,
                None => Spill::begin(&bodies, id)?,
            };
            spill.write(&buffer)?;
            buffer.clear();
            Ok((spill, buffer))
        })
        .await?;
        (self.spill, self.buffer) = (Some(spill), buffer);
        Ok(())
    }
}

#[async_trait]
impl BodyWriter for Staging {
    async fn write(&mut self, piece: &[u8]) -> Result<(), StoreError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        self.buffer.extend_from_slice(piece);
        if let Some(bodies) = self.bodies.clone()
            && self.buffer.len() >= CHUNK
            && let Err(error) = self.spill(&bodies).await
        {
            self.failed = Some(error.clone());
            return Err(error);
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<Body, StoreError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let small = self.spill.is_none() && self.buffer.len() <= INLINE;
        let Some(bodies) = self.bodies.clone().filter(|_| !small) else {
            return Ok(Body::Inline(self.buffer.into()));
        };
        self.spill(&bodies).await?;
        let (id, spill) = (self.id, self.spill.take());
        let file = blocking(move || match spill {
            Some(spill) => spill.settle(id),
            None => Err(StoreError::Uncertain),
        })
        .await?;
        Ok(Body::File(Arc::new(FileBody(file))))
    }
}

/// A file being written; removed when dropped.
struct Spill {
    bodies: Arc<Bodies>,
    path: PathBuf,
    file: Box<dyn DiskFile>,
    size: u64,
    settled: bool,
}

impl Spill {
    fn begin(bodies: &Arc<Bodies>, id: MessageId) -> Result<Spill, StoreError> {
        let path = bodies.begin(id)?;
        let file = bodies
            .disk
            .create(&path)
            .map_err(|e| io_error("making", &path, &e))?;
        Ok(Spill {
            bodies: bodies.clone(),
            path,
            file,
            size: 0,
            settled: false,
        })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.leave_reserve()?;
        self.file
            .write_all(bytes)
            .map_err(|e| io_error("writing", &self.path, &e))?;
        self.size += bytes.len() as u64;
        Ok(())
    }

    /// The queue needs some room to record what it delivers: a body must not take the last of it.
    fn leave_reserve(&self) -> Result<(), StoreError> {
        match self.bodies.disk.free(&self.path) {
            Ok(space) if space.bytes < RESERVE + CHUNK as u64 => Err(StoreError::Full {
                path: self.path.clone(),
                reported: format!("{} bytes are free; {RESERVE} are kept back", space.bytes),
            }),
            // A disk that cannot say will say so when it is written to.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    fn settle(mut self, id: MessageId) -> Result<Arc<crate::body::BodyFile>, StoreError> {
        self.file
            .sync()
            .map_err(|e| io_error("syncing", &self.path, &e))?;
        let file = self.bodies.settle(id, &self.path, self.size)?;
        self.settled = true;
        Ok(file)
    }
}

impl Drop for Spill {
    fn drop(&mut self) {
        if !self.settled
            && let Err(error) = self.bodies.disk.remove(&self.path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(path = %self.path.display(), %error, "a body cannot be removed");
        }
    }
}
