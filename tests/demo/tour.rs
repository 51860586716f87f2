//! The guided tour.
