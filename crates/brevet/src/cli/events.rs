//! Server-sent events, as the WHATWG's HTML standard defines them, section 9.2.6; no more than Brevet sends.

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Event {
    /// Its name; `message` when it has none.
    pub(crate) name: String,
    /// Its data, lines joined by a newline.
    pub(crate) data: String,
}

/// Makes events of bytes as they arrive.
#[derive(Debug, Default)]
pub(crate) struct Events {
    line: Vec<u8>,
    name: String,
    data: String,
    has_data: bool,
}

impl Events {
    /// Takes some bytes, and gives the events that are complete now.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Vec<Event> {
        let mut complete = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                let line = std::mem::take(&mut self.line);
                let line = String::from_utf8_lossy(&line);
                complete.extend(self.take(line.trim_end_matches(['\n', '\r'])));
            }
        }
        complete
    }

    fn take(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            return self.dispatch();
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => {
                if self.has_data {
                    self.data.push('\n');
                }
                self.data.push_str(value);
                self.has_data = true;
            }
            _ => {}
        }
        None
    }

    fn dispatch(&mut self) -> Option<Event> {
        let name = std::mem::take(&mut self.name);
        let data = std::mem::take(&mut self.data);
        let name = if name.is_empty() { "message".to_owned() } else { name };
        std::mem::take(&mut self.has_data).then_some(Event { name, data })
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, Events};

    const STREAM: &[u8] = b": keep-alive\n\nevent: started\ndata: {\"id\":\r\ndata: 1}\n\nevent:nothing\n\ndata:x\nid: 4\n\nevent: cut\ndata: y\n";

    fn expected() -> Vec<Event> {
        let event = |name: &str, data: &str| Event { name: name.into(), data: data.into() };
        vec![event("started", "{\"id\":\n1}"), event("message", "x")]
    }

    #[test]
    fn events_are_the_same_however_the_bytes_arrive() {
        assert_eq!(Events::default().feed(STREAM), expected());
        for size in 1..STREAM.len() {
            let mut events = Events::default();
            let all: Vec<Event> = STREAM.chunks(size).flat_map(|chunk| events.feed(chunk)).collect();
            assert_eq!(all, expected(), "in pieces of {size}");
        }
    }
}
