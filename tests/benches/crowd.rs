//! A crowd of phones that are only what a server sees of them: enrolled, each with its token, all at one place in the logs.

use std::path::Path;

use ed25519_dalek::{Signer, SigningKey};
use foras_record::role::Role;
use foras_server::{Invite, OsEntropy, Server};
use foras_tests::world::chance::Chance;
use foras_wire::enrol::{EnrolAnswer, EnrolRequest};
use foras_wire::frame::{from_cbor, to_cbor};
use foras_wire::grant::Grant;
use foras_wire::id::{DeviceId, Incarnation, PublicKey, Signature64};
use foras_wire::invitation::Invitation;
use foras_wire::version::ProtocolRange;

/// A phone as the server sees it.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    device: DeviceId,
    token: [u8; 32],
}

impl Member {
    /// The request that it sends, as bytes on the connection.
    pub(crate) fn request(&self, body: &[u8]) -> Vec<u8> {
        let token: String = self.token.iter().map(|byte| format!("{byte:02x}")).collect();
        let head = format!(
            "POST /v1/sync HTTP/1.1\r\nHost: foras\r\nContent-Type: application/octet-stream\r\nForas-Device: {}\r\n\
             Authorization: Foras {token}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            self.device,
            body.len()
        );
        [head.as_bytes(), body].concat()
    }
}

/// Enrols so many counsellors of the point in Oujda on the data folder, while no server runs on it.
pub(crate) fn enrol(folder: &Path, members: usize, chance: &Chance) -> Vec<Member> {
    let server = Server::attach(folder).expect("the data folder");
    (0..members).map(|_| enrol_one(&server, chance)).collect()
}

fn enrol_one(server: &Server, chance: &Chance) -> Member {
    let now_ms = foras_server::clock::now_ms();
    let places = ["oujda".parse().expect("a point")].into();
    let invite = Invite { role: Role::HostCounsellor, places, case: None, name: Some("a colleague".to_owned()) };
    let invited = server.invite(&invite, now_ms, &mut OsEntropy).expect("an invitation");
    let invitation: Invitation = invited.invitation.parse().expect("an invitation that reads");
    let (mut seed, mut incarnation) = ([0; 32], [0; 16]);
    foras::store::Entropy::fill(&mut chance.clone(), &mut seed).expect("a seed");
    foras::store::Entropy::fill(&mut chance.clone(), &mut incarnation).expect("an incarnation");
    let key = SigningKey::from_bytes(&seed);
    let (public, incarnation) = (PublicKey(key.verifying_key().to_bytes()), Incarnation(incarnation));
    let signed = EnrolRequest::signed_bytes(&invitation.secret, &public, &incarnation);
    let request = EnrolRequest {
        protocol: ProtocolRange::OURS,
        secret: invitation.secret.to_vec(),
        key: public,
        incarnation,
        signature: Signature64(key.sign(&signed).to_bytes()),
    };
    let answer = server.enrol(&to_cbor(&request), now_ms, &mut OsEntropy).expect("an enrolment");
    let answer: EnrolAnswer = from_cbor("enrolment", &answer).expect("an answer that reads");
    let grant: Grant = from_cbor("grant", &answer.grant.bytes).expect("a grant that reads");
    Member { device: grant.device, token: answer.token }
}
