//! The calls that some architectures also offer through `socketcall(2)` and `ipc(2)`.
//!
//! A rule about `socket` must there also speak about `socketcall` with its operation as first
//! argument, or old programs would go past it. Operations are those of linux/net.h and
//! linux/ipc.h. The other arguments lie behind a pointer, out of a filter's reach.

use crate::syscalls::Syscall;

/// A call through a multiplexer: the syscall made, and its first argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) through: Syscall,
    pub(super) operation: u8,
}

const SOCKETCALL: [(&str, u8); 20] = [
    ("socket", 1),
    ("bind", 2),
    ("connect", 3),
    ("listen", 4),
    ("accept", 5),
    ("getsockname", 6),
    ("getpeername", 7),
    ("socketpair", 8),
    ("send", 9),
    ("recv", 10),
    ("sendto", 11),
    ("recvfrom", 12),
    ("shutdown", 13),
    ("setsockopt", 14),
    ("getsockopt", 15),
    ("sendmsg", 16),
    ("recvmsg", 17),
    ("accept4", 18),
    ("recvmmsg", 19),
    ("sendmmsg", 20),
];

const IPC: [(&str, u8); 12] = [
    ("semop", 1),
    ("semget", 2),
    ("semctl", 3),
    ("semtimedop", 4),
    ("msgsnd", 11),
    ("msgrcv", 12),
    ("msgget", 13),
    ("msgctl", 14),
    ("shmat", 21),
    ("shmdt", 22),
    ("shmget", 23),
    ("shmctl", 24),
];

/// The route of every call that has one; made once, because a profile asks for each name.
#[derive(Debug)]
pub(super) struct Routes([Option<Route>; Syscall::COUNT]);

impl Routes {
    pub(super) fn all() -> Self {
        let mut routes = Self([None; Syscall::COUNT]);
        routes.add("socketcall", &SOCKETCALL);
        routes.add("ipc", &IPC);
        routes
    }

    pub(super) fn of(&self, call: Syscall) -> Option<Route> {
        self.0[call.position()]
    }

    fn add(&mut self, multiplexer: &str, operations: &[(&str, u8)]) {
        let Some(through) = Syscall::named(multiplexer) else {
            return;
        };
        for (name, operation) in operations {
            if let Some(call) = Syscall::named(name) {
                self.0[call.position()] = Some(Route {
                    through,
                    operation: *operation,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn socket_and_system_v_calls_have_a_route_and_others_none() {
        let routes = Routes::all();
        let route = |name| {
            let route = Syscall::named(name).and_then(|call| routes.of(call))?;
            Some((route.through.name(), route.operation))
        };
        assert_eq!(route("sendmmsg"), Some(("socketcall", 20)));
        assert_eq!(route("shmctl"), Some(("ipc", 24)));
        assert_eq!(route("read"), None);
        assert_eq!(routes.0.iter().flatten().count(), 32);
    }
}
