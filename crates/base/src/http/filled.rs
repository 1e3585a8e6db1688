//! A page that is the same for everybody but for the submit id of its form: rendered and compressed once, the id put in as
//! the page is sent.
//!
//! DEFLATE lets a block that is not compressed stand between two that are (RFC 1951 section 3.2.4). So what stands before
//! the id and what stands after it are compressed once each, and the id goes between them as such a block. Compressing the
//! page anew for every visitor would cost more than everything else about it together.

use std::io::Write as _;
use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

use super::stored::takes_gzip;
use super::{Cache, Refusal};

/// What is rendered in place of the submit id.
pub const SUBMIT_ID_GAP: &str = "{submit-id}";

/// Member header of a gzip file without name and time, from an unknown system (RFC 1952 section 2.3).
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255];
/// Begins a block at a whole byte: not the last one, not compressed.
const NOT_LAST_NOT_COMPRESSED: u8 = 0;
/// Bytes beside the three parts of a compressed page, at most.
const GZIP_FRAME_BYTES: usize = 32;

/// A page with a gap for a submit id; cheap to clone.
#[derive(Clone, Debug)]
pub struct Filled(Arc<[Part; 2]>);

/// What stands before the gap, or after it.
#[derive(Debug)]
struct Part {
    plain: String,
    deflated: Vec<u8>,
    crc: Crc,
}

impl Filled {
    /// Cuts a page where [`SUBMIT_ID_GAP`] stands.
    ///
    /// # Errors
    /// If the page has no gap.
    pub fn new(page: &str) -> Result<Self, Refusal> {
        let broken = || Refusal::broken("a page that is kept has no gap for its submit id");
        let (head, tail) = page.split_once(SUBMIT_ID_GAP).ok_or_else(broken)?;
        let failed = |e: std::io::Error| Refusal::broken(format!("a page was not compressed: {e}"));
        let head = Part::new(head, false).map_err(failed)?;
        Ok(Self(Arc::new([head, Part::new(tail, true).map_err(failed)?])))
    }

    /// The page with this submit id in it. Nobody may keep it.
    #[must_use]
    pub fn answer(&self, request: &HeaderMap, submit_id: &str) -> Response {
        let mut response = if takes_gzip(request) {
            let mut packed = Body::from(self.gzip(submit_id)).into_response();
            packed.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            packed
        } else {
            Body::from(self.plain(submit_id)).into_response()
        };
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        Cache::Fresh.set(headers);
        response
    }

    fn plain(&self, submit_id: &str) -> String {
        let [head, tail] = &*self.0;
        [&head.plain, submit_id, &tail.plain].concat()
    }

    fn gzip(&self, submit_id: &str) -> Vec<u8> {
        let [head, tail] = &*self.0;
        // An id is much shorter than the 65,535 bytes that such a block may hold.
        let n_bytes = u16::try_from(submit_id.len()).unwrap_or(0);
        let id = &submit_id.as_bytes()[..usize::from(n_bytes)];
        let mut crc = Crc::new();
        crc.combine(&head.crc);
        crc.update(id);
        crc.combine(&tail.crc);
        let room = head.deflated.len() + id.len() + tail.deflated.len() + GZIP_FRAME_BYTES;
        let mut gzip = Vec::with_capacity(room);
        gzip.extend_from_slice(&GZIP_HEADER);
        gzip.extend_from_slice(&head.deflated);
        gzip.push(NOT_LAST_NOT_COMPRESSED);
        gzip.extend_from_slice(&n_bytes.to_le_bytes());
        gzip.extend_from_slice(&(!n_bytes).to_le_bytes());
        gzip.extend_from_slice(id);
        gzip.extend_from_slice(&tail.deflated);
        gzip.extend_from_slice(&crc.sum().to_le_bytes());
        gzip.extend_from_slice(&crc.amount().to_le_bytes());
        gzip
    }
}

impl Part {
    fn new(plain: &str, is_last: bool) -> std::io::Result<Self> {
        let mut to = DeflateEncoder::new(Vec::new(), Compression::best());
        to.write_all(plain.as_bytes())?;
        // A flush ends the block at a whole byte without making it the last one.
        to.flush()?;
        let deflated = if is_last { to.finish()? } else { to.get_ref().clone() };
        let mut crc = Crc::new();
        crc.update(plain.as_bytes());
        Ok(Self { plain: plain.to_owned(), deflated, crc })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use axum::http::header::CACHE_CONTROL;
    use http_body_util::BodyExt as _;

    use super::*;

    const ID: &str = "hpFTEgVxU3oAAAGZ0ClAAGPCJmZfTvhj0qkRSOkDkcRC1yce";

    fn page() -> String {
        let line = "<p>Both are work worth doing well.</p>\n".repeat(300);
        format!("{line}<input name=\"submit_id\" value=\"{SUBMIT_ID_GAP}\">{line}")
    }

    async fn body(accept: &str) -> (HeaderMap, Vec<u8>) {
        let request = [("accept-encoding".parse().unwrap(), accept.parse().unwrap())];
        let filled = Filled::new(&page()).unwrap();
        let response = filled.answer(&HeaderMap::from_iter(request), ID);
        let (parts, body) = response.into_parts();
        (parts.headers, body.collect().await.unwrap().to_bytes().to_vec())
    }

    #[tokio::test]
    async fn the_compressed_page_and_the_plain_one_are_the_same() {
        let expect = page().replace(SUBMIT_ID_GAP, ID);
        let (headers, plain) = body("identity").await;
        assert_eq!(String::from_utf8(plain).unwrap(), expect);
        assert!(!headers.contains_key(CONTENT_ENCODING));
        let (headers, packed) = body("gzip, deflate, br").await;
        assert_eq!(headers[CONTENT_ENCODING], "gzip");
        assert_eq!(headers[CACHE_CONTROL], "no-store");
        assert!(packed.len() < expect.len() / 10);
        let mut unpacked = String::new();
        // The reader checks the sum and the length at the end.
        flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut unpacked).unwrap();
        assert_eq!(unpacked, expect);
    }

    #[test]
    fn a_page_without_a_gap_is_not_kept() {
        assert!(Filled::new("<p>no form</p>").is_err());
    }
}
