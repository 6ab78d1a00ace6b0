//! Downloads: a file, or one range of it, read from the store as fast as the other side takes it.

use std::io::Read;

use axum::{
    body::Body,
    extract::Request,
    http::{
        HeaderMap, Method, StatusCode,
        header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RANGE},
    },
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use roadstead_vault::store::{FileKind, Name};

use crate::{Error, Result, vaults::VaultStore};

/// How much is read at once, in bytes.
const CHUNK: u64 = 256 << 10;

/// Sends a file, the part of it that the request asks for, or (HEAD) only its length.
pub async fn send(store: VaultStore, kind: FileKind, name: Name, request: Request) -> Result<Response> {
    let looked = store.clone();
    let length = tokio::task::spawn_blocking(move || looked.size(kind, &name)).await??;
    let Some((start, end)) = range(request.headers(), length) else {
        return Ok((StatusCode::RANGE_NOT_SATISFIABLE, [(CONTENT_RANGE, format!("bytes */{length}"))])
            .into_response());
    };
    let partial = request.headers().contains_key(RANGE);
    let body = match *request.method() == Method::HEAD || start == end {
        true => Body::empty(),
        false => {
            let open = move || store.read_part(kind, &name, start, end - start);
            stream(tokio::task::spawn_blocking(open).await??, end - start)
        }
    };
    let mut response = (
        if partial { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK },
        [
            (CONTENT_TYPE, "application/octet-stream".to_owned()),
            (CONTENT_LENGTH, (end - start).to_string()),
            (ACCEPT_RANGES, "bytes".to_owned()),
        ],
        body,
    )
        .into_response();
    if partial {
        let value = format!("bytes {start}-{}/{length}", end.saturating_sub(1));
        let value = value.parse().map_err(|e| Error::internal("A range has no header form.").caused_by(e));
        response.headers_mut().insert(CONTENT_RANGE, value?);
    }
    Ok(response)
}

/// The bytes asked for, as start and end: everything without a range, `None` for one that cannot be.
pub(super) fn range(headers: &HeaderMap, length: u64) -> Option<(u64, u64)> {
    let Some(value) = headers.get(RANGE) else { return Some((0, length)) };
    let (first, last) = value.to_str().ok()?.strip_prefix("bytes=")?.split_once('-')?;
    let (start, end) = match (first, last) {
        ("", suffix) => (length.saturating_sub(suffix.parse().ok()?), length),
        (first, "") => (first.parse().ok()?, length),
        (first, last) => (first.parse().ok()?, last.parse::<u64>().ok()?.saturating_add(1).min(length)),
    };
    (start < end).then_some((start, end))
}

fn stream(part: Box<dyn Read + Send>, length: u64) -> Body {
    let chunks = futures_util::stream::try_unfold((part, length), |(part, left)| async move {
        if left == 0 {
            return Ok::<_, Error>(None);
        }
        let (part, chunk) = tokio::task::spawn_blocking(move || next(part, left.min(CHUNK))).await??;
        let left = left - chunk.len() as u64;
        Ok(Some((chunk, (part, left))))
    });
    Body::from_stream(chunks)
}

/// Reads so many bytes on.
fn next(mut part: Box<dyn Read + Send>, length: u64) -> Result<(Box<dyn Read + Send>, Bytes)> {
    let mut chunk = vec![0; length as usize];
    part.read_exact(&mut chunk)?;
    Ok((part, chunk.into()))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, header::RANGE};

    use super::range;

    #[test]
    fn ranges() {
        let of = |value: &str| {
            let headers: HeaderMap = [(RANGE, value.parse().unwrap())].into_iter().collect();
            range(&headers, 100)
        };
        assert_eq!(range(&HeaderMap::new(), 100), Some((0, 100)));
        assert_eq!(of("bytes=0-9"), Some((0, 10)));
        assert_eq!(of("bytes=90-"), Some((90, 100)));
        assert_eq!(of("bytes=90-1000"), Some((90, 100)));
        assert_eq!(of("bytes=-10"), Some((90, 100)));
        let largest = format!("bytes=0-{}", u64::MAX);
        assert_eq!(of(&largest), Some((0, 100)));
        for wrong in ["bytes=100-", "bytes=9-3", "bytes=a-b", "items=0-1", "bytes=-", "bytes=0-1,3-4"] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }
}
