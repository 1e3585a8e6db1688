//! Answers that are the same for everybody: made once, compressed once in each coding, sent many times.

use std::io::Write as _;
use std::sync::{Arc, OnceLock};

use axum::body::{Body, Bytes};
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, IF_NONE_MATCH, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header::ETAG};
use axum::response::{IntoResponse, Response};

use super::Cache;
use crate::encode;

/// Shorter bodies are sent as they are: the headers would outweigh the gain.
const COMPRESSED_BYTES_MIN: usize = 400;
/// Brotli's quality, of 11: within a few per cent of the best, at a twentieth of its time.
const BROTLI_QUALITY: i32 = 9;
/// Brotli's window, 2^18 bytes: no page is larger.
const BROTLI_WINDOW_LOG2: i32 = 18;
const BROTLI_BUFFER_BYTES: usize = 4_096;

/// An answer that is the same for everybody, made once; cheap to clone.
///
/// Its compressed bodies are made when they are first asked for and kept. Every coding has an ETag of its own (RFC 9110
/// section 8.8.3.3), and any of them is answered with 304.
#[derive(Clone, Debug)]
pub struct Stored(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    kind: HeaderValue,
    cache: Cache,
    hash: String,
    plain: Bytes,
    gzip: OnceLock<Option<Bytes>>,
    brotli: OnceLock<Option<Bytes>>,
}

/// A content coding that we can send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Plain,
    Gzip,
    Brotli,
}

impl Stored {
    /// Keeps `body`, of media type `kind`.
    #[must_use]
    pub fn new(kind: &'static str, cache: Cache, body: impl Into<Bytes>) -> Self {
        let plain = body.into();
        let mut hash = encode::sha256_hex(&plain);
        hash.truncate(32);
        let kind = HeaderValue::from_static(kind);
        let (gzip, brotli) = (OnceLock::new(), OnceLock::new());
        Self(Arc::new(Inner { kind, cache, hash, plain, gzip, brotli }))
    }

    /// The bytes, not compressed.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.0.plain
    }

    /// The answer, or 304 if the client has it already.
    #[must_use]
    pub fn answer(&self, request: &HeaderMap) -> Response {
        let (coding, body) = self.best(request);
        let mut response = if self.is_known(request) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            let mut full = Body::from(body).into_response();
            full.headers_mut().insert(CONTENT_TYPE, self.0.kind.clone());
            if let Some(token) = coding.token() {
                full.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static(token));
            }
            full
        };
        let headers = response.headers_mut();
        let etag = format!("\"{}{}\"", self.0.hash, coding.suffix());
        if let Ok(etag) = HeaderValue::try_from(etag) {
            headers.insert(ETAG, etag);
        }
        if self.is_compressible() {
            headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        }
        self.0.cache.set(headers);
        response
    }

    fn is_compressible(&self) -> bool {
        let kind = self.0.kind.as_bytes();
        let is_text = kind.starts_with(b"text/")
            || kind.starts_with(b"image/svg")
            || (kind.starts_with(b"application/") && !kind.ends_with(b"octet-stream"));
        is_text && self.0.plain.len() >= COMPRESSED_BYTES_MIN
    }

    /// The smallest body that the client takes.
    fn best(&self, request: &HeaderMap) -> (Coding, Bytes) {
        let inner = &*self.0;
        if self.is_compressible() {
            let made = match preferred(request) {
                Coding::Brotli => {
                    Some((Coding::Brotli, inner.brotli.get_or_init(|| self.brotli())))
                }
                Coding::Gzip => Some((Coding::Gzip, inner.gzip.get_or_init(|| self.gzip()))),
                Coding::Plain => None,
            };
            if let Some((coding, Some(body))) = made {
                return (coding, body.clone());
            }
        }
        (Coding::Plain, inner.plain.clone())
    }

    fn gzip(&self) -> Option<Bytes> {
        let mut to = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        to.write_all(&self.0.plain).ok()?;
        self.if_smaller(to.finish().ok()?)
    }

    fn brotli(&self) -> Option<Bytes> {
        let params = brotli::enc::BrotliEncoderParams {
            quality: BROTLI_QUALITY,
            lgwin: BROTLI_WINDOW_LOG2,
            size_hint: self.0.plain.len(),
            ..Default::default()
        };
        let mut made = Vec::new();
        let mut to = brotli::CompressorWriter::with_params(&mut made, BROTLI_BUFFER_BYTES, &params);
        to.write_all(&self.0.plain).ok()?;
        drop(to);
        self.if_smaller(made)
    }

    fn if_smaller(&self, body: Vec<u8>) -> Option<Bytes> {
        (body.len() < self.0.plain.len()).then(|| Bytes::from(body))
    }

    /// Whether the client named this body, in any coding, as the one it has.
    fn is_known(&self, request: &HeaderMap) -> bool {
        let lines = request.get_all(IF_NONE_MATCH).iter().filter_map(|v| v.to_str().ok());
        lines.flat_map(|line| line.split(',')).map(str::trim).any(|tag| {
            let opaque = tag.strip_prefix("W/").unwrap_or(tag);
            let opaque = opaque.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            tag == "*" || opaque.and_then(|text| text.get(..32)) == Some(self.0.hash.as_str())
        })
    }
}

impl Coding {
    fn token(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Gzip => Some("gzip"),
            Self::Brotli => Some("br"),
        }
    }

    fn suffix(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Gzip => "-gz",
            Self::Brotli => "-br",
        }
    }
}

/// What a client prefers of the codings we have; Brotli where it does not care.
fn preferred(request: &HeaderMap) -> Coding {
    let (gzip, brotli) = weights(request);
    match brotli {
        q if q > 0.0 && q >= gzip => Coding::Brotli,
        _ if gzip > 0.0 => Coding::Gzip,
        _ => Coding::Plain,
    }
}

/// Whether a client takes gzip at all.
pub(super) fn takes_gzip(request: &HeaderMap) -> bool {
    weights(request).0 > 0.0
}

/// The weights that a client gives to gzip and to Brotli (RFC 9110 section 12.5.3).
fn weights(request: &HeaderMap) -> (f32, f32) {
    let (mut gzip, mut brotli, mut any) = (None, None, 0.0);
    let lines = request.get_all(ACCEPT_ENCODING).iter().filter_map(|v| v.to_str().ok());
    for item in lines.flat_map(|line| line.split(',')) {
        let (name, weight) = item.split_once(';').unwrap_or((item, ""));
        let weight = weight.trim().strip_prefix("q=").map_or(1.0, |q| q.parse().unwrap_or(0.0));
        match name.trim().to_ascii_lowercase().as_str() {
            "br" => brotli = Some(weight),
            "gzip" | "x-gzip" => gzip = Some(weight),
            "*" => any = weight,
            _ => {}
        }
    }
    (gzip.unwrap_or(any), brotli.unwrap_or(any))
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(k, v)| (k.parse().unwrap(), v.parse().unwrap())).collect()
    }

    fn check_preferred(accept: &str, expect: Coding) {
        assert_eq!(preferred(&headers(&[("accept-encoding", accept)])), expect, "{accept}");
    }

    #[test]
    fn the_client_says_which_coding_it_takes() {
        check_preferred("gzip, deflate, br", Coding::Brotli);
        check_preferred("gzip", Coding::Gzip);
        check_preferred("br;q=0, gzip", Coding::Gzip);
        check_preferred("br;q=0.5, gzip;q=0.9", Coding::Gzip);
        check_preferred("*", Coding::Brotli);
        check_preferred("*;q=0, gzip;q=1.0", Coding::Gzip);
        check_preferred("identity", Coding::Plain);
        check_preferred("gzip;q=nonsense", Coding::Plain);
        assert_eq!(preferred(&headers(&[])), Coding::Plain);
    }

    #[test]
    fn either_coding_gives_back_the_page() {
        let page = "<p>Both are work worth doing well.</p>\n".repeat(40);
        let stored = Stored::new("text/html; charset=utf-8", Cache::Public, page.clone());
        let mut unpacked = String::new();
        let (coding, body) = stored.best(&headers(&[("accept-encoding", "gzip")]));
        assert_eq!(coding, Coding::Gzip);
        flate2::read::GzDecoder::new(&body[..]).read_to_string(&mut unpacked).unwrap();
        assert_eq!(unpacked, page);
        let (coding, body) = stored.best(&headers(&[("accept-encoding", "br")]));
        assert_eq!(coding, Coding::Brotli);
        unpacked.clear();
        brotli::Decompressor::new(&body[..], 4_096).read_to_string(&mut unpacked).unwrap();
        assert_eq!(unpacked, page);
    }

    #[test]
    fn each_coding_has_its_tag_and_any_of_them_is_known() {
        let stored = Stored::new("text/css", Cache::Immutable, "a".repeat(1_000));
        let plain = stored.answer(&headers(&[]));
        let packed = stored.answer(&headers(&[("accept-encoding", "br")]));
        assert_ne!(plain.headers()[ETAG], packed.headers()[ETAG]);
        assert_eq!(packed.headers()[CONTENT_ENCODING], "br");
        for tag in [&plain.headers()[ETAG], &packed.headers()[ETAG]] {
            let tag = format!("\"other\", W/{}", tag.to_str().unwrap());
            let again = stored.answer(&headers(&[("if-none-match", &tag)]));
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
            assert_eq!(again.headers()[VARY], "accept-encoding");
        }
        let other = stored.answer(&headers(&[("if-none-match", "\"other\"")]));
        assert_eq!(other.status(), StatusCode::OK);
    }

    #[test]
    fn pictures_and_short_answers_are_sent_as_they_are() {
        let takes = headers(&[("accept-encoding", "br, gzip")]);
        let picture = Stored::new("image/png", Cache::Immutable, vec![0; 5_000]);
        let short = Stored::new("text/plain", Cache::Public, "short");
        for stored in [picture, short] {
            let response = stored.answer(&takes);
            assert!(!response.headers().contains_key(CONTENT_ENCODING));
            assert!(!response.headers().contains_key(VARY));
        }
    }
}
