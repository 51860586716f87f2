//! The sample product `fixtures/demo`: each fault that its switch plants is seen by the gate that has to see it, with the status,
//! the codes, the views, the signature, the severity and the replay that its list says, and is gone when it is healed.

mod demo {
    mod faults;
    mod ground;
    mod planted;
    mod tour;
    mod views;
    mod workflow;
}
