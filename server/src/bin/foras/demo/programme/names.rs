//! Names of people who do not exist: made of syllables, so that none is anybody's.

use super::chance::Chance;

/// Beginnings and ends of called names, and of family names, by country.
struct Syllables {
    country: &'static str,
    first: &'static [&'static str],
    women: &'static [&'static str],
    men: &'static [&'static str],
    family: &'static [&'static str],
}

const SYLLABLES: &[Syllables] = &[
    Syllables {
        country: "BF",
        first: &["Wen", "Pog", "Tim", "Rasm", "Zal", "Nob"],
        women: &["dima", "besa", "atou", "isse", "ela"],
        men: &["daogo", "bila", "anga", "tore", "imou"],
        family: &["Zoub", "Kabo", "Tiend", "Naba", "Sawa", "réga", "gouma", "doré"],
    },
    Syllables {
        country: "CM",
        first: &["Ngo", "Mbe", "Tcha", "Ela", "Fon", "Nke"],
        women: &["lise", "mba", "nou", "anne", "zita"],
        men: &["tang", "belle", "mou", "rick", "gou"],
        family: &["Nda", "Mvo", "Tsa", "Eku", "bong", "fack", "mbi", "téna"],
    },
    Syllables {
        country: "CI",
        first: &["Aya", "Kof", "Yaw", "Ahou", "Bro", "Nda"],
        women: &["ma", "line", "ssou", "bla", "nie"],
        men: &["fi", "gnan", "koua", "drice", "bo"],
        family: &["Kou", "Gbag", "Zad", "Ouat", "assé", "biko", "rou", "lognan"],
    },
    Syllables {
        country: "GN",
        first: &["Mar", "Fan", "Alph", "Bint", "Ous", "Kad"],
        women: &["iatou", "dina", "ama", "ouba", "essa"],
        men: &["ouma", "sory", "dala", "aki", "otou"],
        family: &["Bald", "Cam", "Soum", "Kéit", "arou", "bandé", "idia", "ossé"],
    },
    Syllables {
        country: "ML",
        first: &["Ass", "Mouss", "Ram", "Fod", "Sal", "Bak"],
        women: &["itan", "ata", "imata", "oumou", "éba"],
        men: &["éku", "ary", "oulaye", "adi", "iba"],
        family: &["Traw", "Demb", "Koul", "Sid", "alou", "béni", "iré", "ossi"],
    },
    Syllables {
        country: "CD",
        first: &["Mwa", "Kal", "Ili", "Tsh", "Bola", "Nzu"],
        women: &["nza", "mika", "lola", "béa", "sira"],
        men: &["ngo", "émba", "ton", "ibu", "soki"],
        family: &["Kab", "Mul", "Tshi", "Lum", "umba", "engo", "olo", "ikwa"],
    },
    Syllables {
        country: "SN",
        first: &["Awa", "Mod", "Pap", "Ndey", "Ibr", "Cod"],
        women: &["sine", "nata", "ba", "oudia", "ème"],
        men: &["ou", "ima", "alik", "mar", "éta"],
        family: &["Ndi", "Fay", "Sar", "Gue", "oulé", "mba", "issé", "dior"],
    },
    Syllables {
        country: "TG",
        first: &["Ako", "Kos", "Afi", "Ese", "Yao", "Dza"],
        women: &["fa", "vi", "sika", "ena", "lé"],
        men: &["ssi", "vo", "dzo", "mlan", "kpé"],
        family: &["Agb", "Tét", "Kpo", "Ama", "éko", "dzi", "ovi", "lassé"],
    },
    Syllables {
        country: "",
        first: &["Sol", "Tar", "Nim", "Ode", "Jel", "Ruk"],
        women: &["ina", "ela", "issa", "ona", "aya"],
        men: &["emi", "aro", "ude", "ik", "ola"],
        family: &["Ade", "Oku", "Ben", "Tam", "ori", "ela", "uso", "nga"],
    },
];

/// A name for somebody of this nationality and sex.
pub(super) fn of(nationality: &str, sex: &str, chance: &mut Chance) -> String {
    let known = SYLLABLES.iter().find(|syllables| syllables.country == nationality);
    let Some(syllables) = known.or_else(|| SYLLABLES.last()) else { return String::new() };
    let ends = if sex == "f" { syllables.women } else { syllables.men };
    let (starts, tails) = syllables.family.split_at(syllables.family.len() / 2);
    let called = format!("{}{}", chance.word(syllables.first), chance.word(ends));
    format!("{called} {}{}", chance.word(starts), chance.word(tails))
}
