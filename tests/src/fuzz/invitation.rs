//! Invitations, as a camera or a keyboard gives them.

use foras_wire::invitation::Invitation;

use super::story;

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let told = story::travelled().invitation.clone();
    vec![told.clone().into_bytes(), format!(" {told}&more=1\n").into_bytes()]
}

pub(super) fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Ok(invitation) = text.parse::<Invitation>() else { return };
    assert_eq!(
        invitation.to_string().parse().as_ref(),
        Ok(&invitation),
        "an invitation reads otherwise when shown again"
    );
}
