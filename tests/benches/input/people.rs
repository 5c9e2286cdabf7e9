//! People of the benchmarks: about 1.2 KB of JSON and 26 fields each, with the variety of a real caseload. Names are made
//! of syllables, so that none is anybody's; numbers are drawn from ranges, and prose from words that counsellors write.

use foras_tests::world::chance::Chance;
use serde_json::{Value, json};

/// Sessions a point: five modules on so many days.
const MODULES: [&str; 5] = ["awareness", "life_soft_skills", "entrepreneurship_marketing", "agriculture", "crafts"];

const COUNTRIES: [(&str, &[&str]); 8] = [
    ("CI", &["fr", "dyu"]),
    ("GN", &["ff", "fr", "sus"]),
    ("CM", &["fr", "en"]),
    ("ML", &["bm", "fr"]),
    ("SN", &["wo", "fr"]),
    ("CD", &["ln", "fr"]),
    ("BF", &["mos", "fr"]),
    ("TG", &["ee", "fr"]),
];
const FIRST: [&str; 24] = [
    "Assi", "Mouso", "Rama", "Fodé", "Sali", "Baka", "Aya", "Kofe", "Yawo", "Mari", "Fanta", "Alfa", "Binto", "Ouse",
    "Kadi", "Nden", "Ibri", "Codu", "Akos", "Afi", "Tchala", "Mbele", "Ngoli", "Zali",
];
const ENDS: [&str; 20] = [
    "tan", "ta", "mata", "mou", "ba", "ku", "ry", "laye", "di", "line", "su", "bla", "fi", "gnan", "koua", "drice",
    "tou", "na", "ssi", "vo",
];
const FAMILY: [&str; 22] = [
    "Traw", "Demb", "Koul", "Sidi", "Bald", "Camo", "Soum", "Kéit", "Ouat", "Gbag", "Zadi", "Kouass", "Ndia", "Faye",
    "Sarr", "Guey", "Agbé", "Tété", "Kpod", "Amav", "Zoub", "Nabal",
];
const FAMILY_ENDS: [&str; 16] = [
    "alou", "béni", "iré", "ossi", "arou", "andé", "idia", "sso", "biko", "rou", "lognan", "oulé", "mba", "issé",
    "dior", "éko",
];
const EDUCATION: [&str; 8] = [
    "école coranique, lit l'arabe",
    "primaire jusqu'en CM2",
    "collège, arrêté en quatrième",
    "lycée, sans le baccalauréat",
    "baccalauréat série D",
    "formation professionnelle en couture, deux ans",
    "licence de gestion, deux années validées",
    "never went to school, learned to read at the mosque",
];
const TRADES: [&str; 16] = [
    "couture",
    "maçonnerie",
    "coiffure",
    "mécanique auto",
    "cuisine",
    "élevage de volaille",
    "réparation de téléphones",
    "commerce de détail",
    "menuiserie",
    "peinture en bâtiment",
    "soudure",
    "maraîchage",
    "hairdressing",
    "tailoring",
    "électricité",
    "boulangerie",
];
const WHERE: [&str; 12] = [
    "à Abidjan",
    "à Conakry",
    "à Douala",
    "à Bamako",
    "à Dakar",
    "à Kinshasa",
    "à Ouagadougou",
    "à Lomé",
    "au village",
    "chez un patron à Casablanca",
    "sur des chantiers à Oujda",
    "au marché de Rabat",
];
/// Words of counsellors' notes. Prose is drawn from them word by word: it compresses about as well as the real thing, which
/// a choice among ready sentences would not.
const WORDS: &str = "a accompagne achat accord adresse agence aide aller ami ancien année appel appris après argent arrivée \
    assez associé atelier attend atelier aucun autre avance avant avec avion avis bagages banque besoin bien boutique budget \
    camp carte centre chambre chantier chaque charge chez chiffre clients collège colis commerce compte conseil contact \
    copie cousin couture crédit cuisine date début déjà demain demande départ depuis dernier dette deux devis difficile dit \
    document dort dossier douleurs école économie élevage embarquement emploi encore enfant ensemble entretien envoyer \
    équipement espère essence état étude explique famille femme ferme fille fils fin foire fois fonds formation fournisseur \
    four frère froid garde gestion grand groupe habits hier homme hôpital idée installer irrigation jamais jeune jour jusque \
    kilo laisser lait langue lettre libre lieu liste local logement loin loyer lunettes machine main maison maïs malade \
    marché mari matériel matin médecin même mère métier mille mois montre moto moulin moussons nom nouvelle numéro offre \
    oignon oncle ordonnance ouvrir pain panne papiers pardon parents parle partir passeport patron payer pays pêche peintre \
    père personne petit peu peur photo pied place plan plante plus point portable possible poste poules premier près prêt \
    prix prochain projet propre quand quartier quatre quelques quitté raconte rappeler récolte reçu refuse région rendez-vous \
    répare reste retour réussi revenir revoir riz route sac saison salaire salon samedi santé savoir second semaine semences \
    seul signer situation six soeur soins soir sol somme souvent stock suite sur surtout tailleur tante taxi téléphone \
    temps tenir terrain tient tissu tôt toujours tour traitement transport travail traversée très trois trouver urgence \
    usine utile vendre venir vente vérifier vers viande vie village ville visite vivre voir voisin volaille voyage vrai \
    the and with his her brother shop money back home wants needs first before work sister school";
const VULNERABILITIES: [&str; 7] = [
    "maladie chronique",
    "parent isolé",
    "mineur à charge",
    "sans abri",
    "victime de violence",
    "handicap",
    "dettes envers le passeur",
];

/// A day of the years 2024 to 2026, by its number.
fn day(number: usize) -> String {
    format!("{}-{:02}-{:02}", 2024 + number / 372 % 3, number / 31 % 12 + 1, number % 28 + 1)
}

/// The module and the day of a session, by its number.
fn session(number: usize) -> (&'static str, String) {
    let module = MODULES.get(number % MODULES.len()).copied().unwrap_or("awareness");
    let on = number / MODULES.len();
    (module, format!("{}-{:02}-{:02}", 2025 + on / 60, on / 5 % 12 + 1, on % 5 * 5 + 3))
}

fn name(chance: &Chance) -> (String, String) {
    let called = format!("{}{}", chance.one_of(&FIRST), chance.one_of(&ENDS));
    let family = format!("{}{}", chance.one_of(&FAMILY), chance.one_of(&FAMILY_ENDS));
    (called, family)
}

/// So many words, as sentences. Few words come often, most come rarely, as in any language.
fn sentences(words: usize, chance: &Chance) -> String {
    let known: Vec<&str> = WORDS.split_whitespace().collect();
    let mut text = String::new();
    for number in 0..words {
        let far = known.len().min(1 << (3 + chance.below(7)));
        let word = chance.one_of(known.get(..far).unwrap_or(&known));
        text.push_str(match (number, chance.below(9)) {
            (0, _) => "",
            (_, 0) => ", ",
            (_, 1) if number + 2 < words => ". ",
            _ => " ",
        });
        text.push_str(word);
    }
    text
}

/// Prose of a field's own sort.
pub(crate) fn prose_of(field: &str, chance: &Chance) -> String {
    match field {
        "education" => (*chance.one_of(&EDUCATION)).to_owned(),
        "skills" => {
            let years = chance.below(14) + 1;
            format!("{}, {years} ans {}; {}", chance.one_of(&TRADES), chance.one_of(&WHERE), chance.one_of(&TRADES))
        }
        "needs" => sentences(7 + chance.below(9), chance),
        "project_idea" => {
            format!("{} {}; {}", chance.one_of(&TRADES), chance.one_of(&WHERE), sentences(6 + chance.below(10), chance))
        }
        _ => sentences(9 + chance.below(16), chance),
    }
}

/// A Moroccan mobile number.
pub(crate) fn phone(chance: &Chance) -> String {
    format!("+2126{:08}", chance.below(100_000_000))
}

/// The line that registers person `number`, as `foras phone import` reads it; of a programme of so many sessions.
pub(crate) fn line(number: usize, sessions: usize, chance: &Chance) -> Value {
    let (country, languages) = *chance.one_of(&COUNTRIES);
    let (called, family) = name(chance);
    let woman = chance.percent(25);
    let mut spoken: Vec<&str> = languages.to_vec();
    spoken.truncate(1 + chance.below(languages.len()));
    let registered = chance.below(1_000);
    let mut modules = Vec::new();
    let mut days = std::collections::BTreeSet::new();
    // The first people fill every session once, so that there are as many as were asked for.
    days.insert(number % sessions.max(1));
    for _ in 0..chance.below(3) {
        days.insert(chance.below(sessions.max(1)));
    }
    for session_number in days {
        let (module, on) = session(session_number);
        let attendance = *chance.one_of(&["present", "present", "present", "partly", "absent"]);
        modules.push(json!({"module": module, "on": on, "attendance": attendance}));
    }
    json!({
        "ref": format!("OUJ-{}-{:05}", 2024 + registered / 372 % 3, number + 1),
        "name": format!("{called} {family}"),
        "name_variants": [format!("{family} {called}"), format!("{called}e {family}")],
        "phone": phone(chance),
        "channel": chance.one_of(&["whatsapp", "whatsapp", "call", "sms"]),
        "contact_language": spoken.first().copied().unwrap_or("fr"),
        "literacy": chance.one_of(&["none", "some", "full", "full"]),
        "programme": if registered < 372 { "FORAS" } else { "FORAS II" },
        "sex": if woman { "f" } else { "m" },
        "birth_year": 1966 + chance.below(42),
        "birth_precision": if chance.percent(60) { "exact" } else { "estimated" },
        "nationality": country,
        "country": country,
        "languages": spoken,
        "arrival_year": 2012 + chance.below(13),
        "household": 1 + chance.below(6) * chance.below(2),
        "point": "oujda",
        "registered_on": day(registered),
        "education": prose_of("education", chance),
        "skills": prose_of("skills", chance),
        "needs": prose_of("needs", chance),
        "project_idea": prose_of("project_idea", chance),
        "business_plan": prose_of("business_plan", chance),
        "vulnerabilities": [chance.one_of(&VULNERABILITIES)],
        "consents": {"assist": chance.one_of(&["oral", "written"])},
        "modules": modules,
    })
}
