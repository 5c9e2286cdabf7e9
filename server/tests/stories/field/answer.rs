//! What an exchange answered.

use foras_wire::pack::Piece;
use foras_wire::page::Page;
use foras_wire::reconcile::Difference;
use foras_wire::sync::{Acks, AnswerFrame, DepositAck, Heads, Outcome, Refusal, Welcome};
use foras_wire::turn::Turn;

#[derive(Debug, Default)]
pub struct Answer {
    pub welcome: Option<Welcome>,
    pub acks: Vec<Acks>,
    pub deposits: Vec<DepositAck>,
    pub carried: Vec<Acks>,
    pub differences: Vec<Difference>,
    pub pages: Vec<Page>,
    pub pieces: Vec<Piece>,
    pub heads: Option<Heads>,
    pub refused: Option<Refusal>,
    pub turn: Option<Turn>,
}

impl Answer {
    pub fn take(&mut self, frame: AnswerFrame) {
        match frame {
            AnswerFrame::Welcome(welcome) => self.welcome = Some(welcome),
            AnswerFrame::Acks(acks) => self.acks.push(acks),
            AnswerFrame::DepositAcks(acks) => self.deposits.extend(acks),
            AnswerFrame::CarriedAcks(acks) => self.carried.push(acks),
            AnswerFrame::Difference(difference) => self.differences.push(*difference),
            AnswerFrame::Page(page) => self.pages.push(page),
            AnswerFrame::Heads(heads) => self.heads = Some(heads),
            AnswerFrame::Refused(refusal) => self.refused = Some(refusal),
            AnswerFrame::Piece(piece) => self.pieces.push(piece),
            AnswerFrame::Turn(turn) => self.turn = Some(turn),
            AnswerFrame::Unknown(code) => panic!("an unknown frame {code}"),
        }
    }

    /// Outcomes other than plainly durable, as short words.
    pub fn exceptions(&self) -> Vec<String> {
        let word = |outcome: &Outcome| match outcome {
            Outcome::Duplicate => "duplicate".to_owned(),
            Outcome::Parked => "parked".to_owned(),
            Outcome::Quarantined { code } => format!("quarantined {code}"),
            Outcome::Refused { code } => format!("refused {code}"),
            Outcome::SetRefused => "set refused".to_owned(),
            Outcome::Later => "later".to_owned(),
        };
        self.acks.iter().flat_map(|acks| &acks.exceptions).map(|exception| word(&exception.outcome)).collect()
    }

    /// Asserts that everything that was pushed is durable.
    pub fn durable(self) -> Self {
        assert_eq!(self.exceptions(), Vec::<String>::new());
        assert!(self.refused.is_none(), "{:?}", self.refused);
        self
    }

    /// The code of the refusal of the whole request.
    pub fn refusal(&self) -> &str {
        self.refused.as_ref().map_or("none", |refusal| refusal.code.as_str())
    }
}
