//! The session while content comes: by DATA, or in chunks.

use bytes::Buf;

use super::problem::content_reply;
use super::session::{Pending, Phase, Session, Step};
use super::{Event, Problem};
use crate::content::{ChunkReader, ContentProblem, Received};

impl Session {
    /// RFC 3030 §2. The chunk follows at once, so that it is read even where it is refused.
    pub(super) fn bdat(&mut self, size: u64, last: bool) -> Result<Step, Problem> {
        if !self.config.chunking {
            return Err(Problem::NotAvailable);
        }
        self.ready_for_content().map_err(Problem::OutOfOrder)?;
        let limit = self.config.max_size;
        let chunks = self
            .transaction
            .as_ref()
            .and_then(|open| open.chunks.as_ref());
        if chunks.map_or(0, ChunkReader::size).saturating_add(size) > limit {
            return Ok(self.abort_chunks(ContentProblem::TooLarge { limit }, size));
        }
        if chunks.is_some() {
            self.phase = Phase::Chunk { left: size, last };
            return Ok(Step::Again);
        }
        self.pending = Some(Pending::Chunk { size, last });
        Ok(Step::Event(Event::Data { chunked: true }))
    }

    fn abort_chunks(&mut self, problem: ContentProblem, left: u64) -> Step {
        self.transaction = None;
        self.phase = Phase::DropChunk {
            left,
            reply: content_reply(&problem),
        };
        Step::Event(Event::ContentAborted(problem))
    }

    pub(super) fn chunk(&mut self, left: u64, last: bool) -> Step {
        let Some(chunks) = self
            .transaction
            .as_mut()
            .and_then(|open| open.chunks.as_mut())
        else {
            self.phase = Phase::Command;
            return Step::Again;
        };
        if left == 0 {
            return self.end_chunk(last);
        }
        let have =
            usize::try_from(left).map_or(self.input.len(), |left| left.min(self.input.len()));
        if have == 0 {
            return Step::NeedInput;
        }
        match chunks.receive(&self.input[..have]) {
            Ok(()) => {
                self.phase = Phase::Chunk {
                    left: left - have as u64,
                    last,
                };
                Step::Event(Event::Content(self.input.split_to(have).freeze()))
            }
            Err(problem) => self.abort_chunks(problem, left),
        }
    }

    fn end_chunk(&mut self, last: bool) -> Step {
        self.phase = Phase::Command;
        let chunks = self
            .transaction
            .as_ref()
            .and_then(|open| open.chunks.as_ref());
        let (size, end) = chunks.map_or((0, Ok(())), |chunks| (chunks.size(), chunks.end()));
        if !last {
            self.say(250, (0, 0), format!("{size} bytes received"));
            return Step::Again;
        }
        if let Err(problem) = end {
            return self.abort_chunks(problem, 0);
        }
        self.pending = Some(Pending::EndOfContent);
        Step::Event(Event::EndOfContent { size })
    }

    pub(super) fn drop_chunk(&mut self, left: u64) -> Step {
        let have =
            usize::try_from(left).map_or(self.input.len(), |left| left.min(self.input.len()));
        self.input.advance(have);
        if let Phase::DropChunk { left, .. } = &mut self.phase {
            *left -= have as u64;
            if *left > 0 {
                return Step::NeedInput;
            }
        }
        if let Phase::DropChunk { reply, .. } = std::mem::replace(&mut self.phase, Phase::Command) {
            self.write(&reply);
        }
        Step::Again
    }

    pub(super) fn data(&mut self) -> Step {
        let Phase::Data {
            reader,
            problem,
            replies,
        } = &mut self.phase
        else {
            return Step::Again;
        };
        match reader.receive(&mut self.input) {
            Received::Piece(piece) => Step::Event(Event::Content(piece)),
            Received::More => Step::NeedInput,
            Received::Problem(found) => {
                *problem = Some(found);
                self.transaction = None;
                Step::Event(Event::ContentAborted(found))
            }
            Received::End => {
                let (size, problem, false_end) = (reader.size(), *problem, reader.has_false_end());
                let replies = *replies;
                self.phase = Phase::Command;
                match problem {
                    None => {
                        self.pending = Some(Pending::EndOfContent);
                        Step::Event(Event::EndOfContent { size })
                    }
                    Some(problem) => {
                        for _ in 0..replies {
                            self.write(&content_reply(&problem));
                        }
                        // What the client holds for commands after a false end was dropped as
                        // content: whose turn it is can no longer be known.
                        if false_end {
                            self.phase = Phase::Closed;
                        }
                        Step::Again
                    }
                }
            }
        }
    }
}
