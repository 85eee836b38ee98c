//! A body on its way out, handed over piece by piece, so that whoever waits for the answer can see whether any of it goes.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// Bytes.
const PIECE: usize = 16 << 10;
/// Where so many were handed over, this machine's buffers may hold as much as takes half of the patience to go.
const BUFFERED: usize = 512 << 10;

/// What is left of it.
pub(in crate::registry) struct Pieces {
    rest: Bytes,
    state: Arc<Mutex<State>>,
}

/// Seen from outside.
#[derive(Debug, Clone)]
pub(in crate::registry) struct Watch {
    state: Arc<Mutex<State>>,
    length: usize,
}

#[derive(Debug)]
struct State {
    /// When the last piece went.
    last: Instant,
    left: usize,
}

impl Pieces {
    pub fn new(bytes: Bytes) -> (Self, Watch) {
        let length = bytes.len();
        let state = Arc::new(Mutex::new(State { last: Instant::now(), left: length }));
        (Self { rest: bytes, state: Arc::clone(&state) }, Watch { state, length })
    }
}

impl Watch {
    /// How much longer it may take until the next piece goes, or, behind the last, the answer comes; zero: too long.
    pub fn patience(&self, stall: Duration) -> Duration {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let buffered = if state.left > 0 { 0 } else { self.length.min(BUFFERED) };
        (stall + stall / 2 * buffered as u32 / BUFFERED as u32).saturating_sub(state.last.elapsed())
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.rest.len().min(PIECE);
        let piece = self.rest.split_to(length);
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) =
            State { last: Instant::now(), left: self.rest.len() };
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    #[test]
    fn patience_ends_between_pieces_and_behind_the_last() {
        let stall = Duration::from_secs(60);
        let (mut pieces, watch) = Pieces::new(Bytes::from(vec![7; BUFFERED + 1]));
        let mut next = || match Pin::new(&mut pieces).poll_frame(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Some(Ok(frame))) => frame.into_data().map_or(0, |piece| piece.len()),
            _ => 0,
        };
        let is_within = |low: u64, high: u64| {
            let patience = watch.patience(stall);
            assert!(patience > Duration::from_secs(low) && patience <= Duration::from_secs(high), "{patience:?}");
        };
        for _ in 0..BUFFERED / PIECE {
            assert_eq!(next(), PIECE);
            is_within(59, 60);
        }
        assert_eq!((next(), next()), (1, 0));
        is_within(89, 90);
        watch.state.lock().unwrap().last -= Duration::from_secs(91);
        assert_eq!(watch.patience(stall), Duration::ZERO);
    }
}
