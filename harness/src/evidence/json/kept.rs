//! Which parts of a document are kept in memory while all of it is checked. It knows nothing of rules.

/// A tree of member names. What it does not name is checked and dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    whole: bool,
    members: Vec<(String, Self)>,
    each: Option<Box<Self>>,
}

impl Kept {
    /// Keeps the whole document.
    #[must_use]
    pub fn everything() -> Self {
        Self { whole: true, ..Self::default() }
    }

    /// Keeps no more than the value at the top itself, without what is in it.
    #[must_use]
    pub fn nothing() -> Self {
        Self::default()
    }

    /// From here on the whole value is kept.
    pub fn whole(&mut self) {
        self.whole = true;
    }

    /// What is kept of the member of this name, or of the element of this number.
    pub fn member(&mut self, name: &str) -> &mut Self {
        let at = match self.members.iter().position(|(known, _)| known == name) {
            Some(at) => at,
            None => {
                self.members.push((name.to_owned(), Self::default()));
                self.members.len() - 1
            }
        };
        &mut self.members[at].1
    }

    /// What is kept of every element or member.
    pub fn each(&mut self) -> &mut Self {
        self.each.get_or_insert_default()
    }

    /// The same after merging, so that a reader never has to follow two branches at once.
    ///
    /// A member that is named and also meant by `each` keeps what either of them keeps.
    #[must_use]
    pub fn merged(mut self) -> Self {
        if self.whole {
            return Self::everything();
        }
        if let Some(each) = self.each.take() {
            let each = each.merged();
            for (_name, member) in &mut self.members {
                member.add(&each);
            }
            self.each = Some(Box::new(each));
        }
        for (_name, member) in &mut self.members {
            *member = std::mem::take(member).merged();
        }
        self
    }

    fn add(&mut self, other: &Self) {
        self.whole |= other.whole;
        for (name, member) in &other.members {
            self.member(name).add(member);
        }
        if let Some(each) = &other.each {
            self.each().add(each);
        }
    }

    /// What is kept of a member; `None` when it is dropped.
    pub(super) fn of_member(&self, name: &str) -> Option<&Self> {
        if self.whole {
            return Some(self);
        }
        // Most names differ in their length or first byte, and a call to compare the rest costs more than that.
        let first = name.as_bytes().first();
        let named = self.members.iter().find(|(known, _)| {
            known.len() == name.len() && known.as_bytes().first() == first && known == name
        });
        named.map(|(_, member)| member).or(self.each.as_deref())
    }

    /// What is kept of an element; `None` when only its place is.
    pub(super) fn of_element(&self, index: usize) -> Option<&Self> {
        if self.whole || self.members.is_empty() {
            return if self.whole { Some(self) } else { self.each.as_deref() };
        }
        self.of_member(&index.to_string())
    }
}
