//! LMTP (RFC 2033): the end of the content is answered for each recipient.

use bytes::Bytes;
use smtp::OutgoingReply;

use super::line::wire;
use super::{End, Step, Talk, Transaction};
use crate::ledger::Decision;
use crate::script::Rule;
use crate::stage::Stage;
use crate::verdict::{Answer, Verdict};

impl Talk<'_> {
    /// RFC 2033 §4.2. The message is kept once, for those who are told yes.
    pub(super) async fn answer_each(&mut self, asked: &[Rule]) -> Step {
        let to = self.transaction.to.clone();
        let mut decisions: Vec<(String, Decision)> = Vec::with_capacity(to.len());
        for one in to {
            let decision = self.decide(Stage::EndOfData, Some(&one), asked);
            decisions.push((one, decision));
        }
        let stays = |decision: &Decision| decision.verdict.is_yes() || decision.keep;
        let accepted = decisions.iter().any(|(_, d)| d.verdict.is_yes());
        let (kept, refused): (Vec<_>, Vec<_>) = decisions.iter().partition(|(_, d)| stays(d));
        let kept: Vec<String> = kept.into_iter().map(|(one, _)| one.clone()).collect();
        let refused = refused.into_iter().map(|(one, _)| one.clone());
        self.transaction.refused.extend(refused);
        self.transaction.to = kept;
        let failed = !self.transaction.to.is_empty() && !self.kept(accepted).await;
        // The protocol is told that it is over; what is said comes from here, one by one.
        self.session
            .answer_each(vec![OutgoingReply::plain(250, "")]);
        self.session.take_output();
        self.transaction = Transaction::default();
        for (one, decision) in &decisions {
            self.answer_one(one, decision, failed).await?;
        }
        Ok(())
    }

    async fn answer_one(&mut self, one: &String, decision: &Decision, failed: bool) -> Step {
        self.end_early(decision).await?;
        if let Verdict::Raw(bytes) = &decision.verdict {
            return self.say(&bytes.clone(), decision).await;
        }
        let answer = match self.refusal(decision, Some(one)) {
            Some(answer) => answer,
            None if failed => super::content::cannot_write(),
            None => self.yes_words(Stage::EndOfData).unwrap_or_else(|| Answer {
                code: 250,
                lines: vec![format!("2.1.5 <{one}> message accepted")],
            }),
        };
        let said: Bytes = wire(&answer.outgoing());
        self.say(&said, decision).await?;
        if answer.code == 421 {
            return Err(End::Close);
        }
        Ok(())
    }
}
