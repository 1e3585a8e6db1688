//! What an enquiry is, and what a form must hold to become one.

use base::address::{EmailAddress, parse_line, parse_name};
use base::http::{FormBody, FormErrors};

/// Characters of the longest message.
pub const MESSAGE_CHARS_MAX: usize = 5_000;
/// Characters of the longest telephone number.
const PHONE_CHARS_MAX: usize = 40;
/// Characters of the longest name of an organisation.
const ORGANISATION_CHARS_MAX: usize = 120;

/// What an enquiry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// Anything else.
    General,
    /// A course or mentoring.
    Programme,
    /// A quiz result.
    Result,
    /// A complaint about how personal data was handled (Data Protection Act 2018, section 164A).
    Complaint,
}

impl Topic {
    /// Every topic, in the form's order.
    pub const ALL: [Self; 4] = [Self::General, Self::Programme, Self::Result, Self::Complaint];

    /// As stored and as the form sends it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::General => "general",
            Self::Programme => "programme",
            Self::Result => "result",
            Self::Complaint => "complaint",
        }
    }

    /// As people read it.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::General => "A general question",
            Self::Programme => "A programme",
            Self::Result => "My quiz result",
            Self::Complaint => "A complaint about my personal data",
        }
    }

    /// The topic of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.as_str() == text)
    }
}

/// An enquiry as stored.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, base::db::FromRow)]
pub struct Enquiry {
    /// A version 7 UUID, also the id of the mail to the provider.
    pub id: String,
    /// Who wrote.
    pub name: String,
    /// The address they gave; nobody has proved that it is theirs.
    pub address: String,
    /// What two spellings of that address have in common.
    pub address_key: String,
    /// Telephone number, or empty.
    pub phone: String,
    /// Organisation, or empty.
    pub organisation: String,
    /// A [`Topic`], as stored.
    pub topic: String,
    /// The programme's slug, or empty.
    pub programme: String,
    /// What they wrote: lines end in LF.
    pub message: String,
    /// The quiz result that they chose to attach, as text, or empty.
    pub profile: String,
    /// `new` or `answered`.
    pub state: String,
    /// When it came, UTC milliseconds.
    pub created_ms: i64,
}

impl Enquiry {
    /// Whether it is a complaint about personal data.
    #[must_use]
    pub fn is_complaint(&self) -> bool {
        self.topic == Topic::Complaint.as_str()
    }
}

/// What a person quotes to say which enquiry they mean, such as `Q-4F8T-92KM`: 40 bits of its id, in Crockford's base 32.
#[must_use]
pub fn reference(id: &str) -> String {
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    // The end of a version 7 UUID is random; its beginning is the time.
    let number = uuid::Uuid::try_parse(id).unwrap_or_default().as_u128();
    let digit = |place: u32| char::from(DIGITS[(number >> (5 * place)) as usize & 31]);
    let digits: String = (0..8).rev().map(digit).collect();
    format!("Q-{}-{}", &digits[..4], &digits[4..])
}

/// A form that may be acted on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Draft {
    pub name: String,
    pub address: EmailAddress,
    pub phone: String,
    pub organisation: String,
    pub topic: Topic,
    /// Slug, or empty.
    pub programme: String,
    pub message: String,
    pub wants_attachment: bool,
}

/// Reads a form; `knows_programme` says whether a slug is one of the site's.
pub(crate) fn read(
    form: &FormBody,
    knows_programme: impl Fn(&str) -> bool,
) -> Result<Draft, FormErrors> {
    let mut errors = FormErrors::default();
    let name = parse_name(form.get("name"));
    let name = kept(&mut errors, "name", name.map_err(str::to_owned));
    let address = kept(&mut errors, "email", parse_address(form.get("email")));
    // The summary shows a fault without its field, so each says which it is.
    let phone = parse_line(form.get("phone"), PHONE_CHARS_MAX).map_err(|_| {
        format!("Write the telephone number on one line, in at most {PHONE_CHARS_MAX} characters")
    });
    let phone = kept(&mut errors, "phone", phone);
    let organisation = parse_line(form.get("organisation"), ORGANISATION_CHARS_MAX).map_err(|_| {
        format!(
            "Write the organisation on one line, in at most {ORGANISATION_CHARS_MAX} characters"
        )
    });
    let organisation = kept(&mut errors, "organisation", organisation);
    let topic = kept(&mut errors, "topic", parse_topic(form));
    let programme = form.get("programme");
    if !programme.is_empty() && !knows_programme(programme) {
        errors.add("programme", "Choose one of the programmes, or none");
    }
    let message = kept(&mut errors, "message", parse_message(form.get("message")));
    if !matches!(form.get("attach"), "" | "yes") {
        errors.add("attach", "Tick this box or leave it empty");
    }
    match (name, address, phone, organisation, topic, message) {
        (
            Some(name),
            Some(address),
            Some(phone),
            Some(organisation),
            Some(topic),
            Some(message),
        ) if errors.is_empty() => Ok(Draft {
            name,
            address,
            phone,
            organisation,
            topic: match topic {
                Topic::General if !programme.is_empty() => Topic::Programme,
                topic => topic,
            },
            programme: programme.to_owned(),
            message,
            wants_attachment: form.get("attach") == "yes",
        }),
        _ => Err(errors),
    }
}

fn kept<T>(errors: &mut FormErrors, field: &str, read: Result<T, String>) -> Option<T> {
    read.map_err(|message| errors.add(field, message)).ok()
}

fn parse_address(text: &str) -> Result<EmailAddress, String> {
    if text.is_empty() {
        return Err(String::from("Write your email address, so that we can answer"));
    }
    EmailAddress::parse(text).map_err(str::to_owned)
}

/// A form without the field is a general enquiry; with a value that the list does not offer, it is a mistake.
fn parse_topic(form: &FormBody) -> Result<Topic, String> {
    if !form.has("topic") {
        return Ok(Topic::General);
    }
    Topic::parse(form.get("topic")).ok_or_else(|| String::from("Choose what it is about"))
}

/// Reads a message of several lines; browsers send CR LF, and LF is kept.
fn parse_message(text: &str) -> Result<String, String> {
    let message = text.replace("\r\n", "\n").replace('\r', "\n");
    if message.is_empty() {
        return Err(String::from("Write a message"));
    }
    if message.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return Err(String::from(
            "The message holds signs that are not text. Type that part afresh rather than pasting it",
        ));
    }
    let n_chars = message.chars().count();
    if n_chars > MESSAGE_CHARS_MAX {
        let (thousands, rest) = (n_chars / 1_000, n_chars % 1_000);
        return Err(format!(
            "Shorten the message to 5,000 characters. It has {thousands},{rest:03} now"
        ));
    }
    let lines: Vec<&str> = message.lines().map(str::trim_end).collect();
    Ok(lines.join("\n"))
}

/// Somebody else's words, each line behind `> `, so that no mail takes them for ours.
pub(crate) fn quoted(text: &str) -> String {
    let lines = text.lines().map(|line| match line.trim() {
        "" => String::from(">"),
        _ => format!("> {line}"),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(fields: &str) -> FormBody {
        FormBody::parse(fields.as_bytes()).unwrap()
    }

    fn faults(fields: &str) -> Vec<String> {
        let read = read(&form(fields), |slug| slug == "reading-the-situation");
        let faults = read.map(|_| Vec::new()).unwrap_or_else(|errors| errors.0);
        faults.into_iter().map(|fault| fault.field).collect()
    }

    #[test]
    fn a_form_with_name_address_and_message_is_enough() {
        let form = form("name=Ada&email=ada%40example.org&message=Is+it%0D%0A%0D%0Aenough%3F");
        let draft = read(&form, |_| false).unwrap();
        assert_eq!(draft.message, "Is it\n\nenough?");
        assert_eq!(draft.topic, Topic::General);
        assert!(!draft.wants_attachment);
    }

    #[test]
    fn every_fault_is_named_at_once() {
        assert_eq!(faults(""), ["name", "email", "message"]);
        let rest = "name=Ada&email=ada%40example.org&message=Hello";
        assert_eq!(faults(&format!("{rest}&topic=rubbish")), ["topic"]);
        assert_eq!(faults(&format!("{rest}&programme=rubbish")), ["programme"]);
        assert_eq!(faults(&format!("{rest}&programme=reading-the-situation")), [""; 0]);
        assert_eq!(faults(&format!("{rest}&attach=perhaps")), ["attach"]);
        assert_eq!(faults(&format!("{rest}&phone=1%0A2")), ["phone"]);
        let long = "x".repeat(121);
        assert_eq!(faults(&format!("{rest}&organisation={long}")), ["organisation"]);
        assert_eq!(
            faults("name=A%0D%0ABcc%3A+x&email=a%40b&message=%07"),
            ["name", "email", "message"]
        );
    }

    #[test]
    fn a_message_may_be_long_but_not_endless() {
        assert!(parse_message(&"\u{1f600}".repeat(MESSAGE_CHARS_MAX)).is_ok());
        let fault = parse_message(&"x".repeat(MESSAGE_CHARS_MAX + 1)).unwrap_err();
        assert!(fault.ends_with("It has 5,001 now"), "{fault}");
    }

    #[test]
    fn naming_a_programme_makes_it_the_topic() {
        let form = form("name=Ada&email=a%40b.example&message=Hi&topic=general&programme=p");
        assert_eq!(read(&form, |slug| slug == "p").unwrap().topic, Topic::Programme);
    }

    #[test]
    fn every_quoted_line_is_marked() {
        assert_eq!(
            quoted("one\n\n--\n[a](https://x.example)"),
            "> one\n>\n> --\n> [a](https://x.example)"
        );
    }

    #[test]
    fn a_reference_is_short_readable_and_of_its_id() {
        let one = reference("019ab4f0-5c00-7000-8000-0000000000ff");
        assert_eq!(one, "Q-0000-007Z");
        assert_ne!(one, reference("019ab4f0-5c00-7000-8000-0000000000fe"));
    }
}
