// Seats: how many connections to each node the sessions of a database have, and who comes next.
//
// Each link sits on a seat of its node while it is connected. With herd.max_connections_per_node
// there are only so many of them; whoever finds none waits in a queue, first come first served.
// Sessions give up links that they do not need at the moment when they are asked to, or when a
// transaction ends and somebody waits. Counted in shared memory; a session's seats go back when it
// ends, however it ends.
//
// The queue is free of deadlocks: who works on nodes already does not wait, and who waits gives up
// idle links that those before it in the queue need.
#pragma once

#include <string>

#include "base/ids.hpp"

namespace herd::transaction {

// Takes a seat for this session's link to the node, if it has none. at_once: above the cap, if need
// be. Returns whether it had to wait. Errors: kTooManyConnections after herd.connection_timeout.
bool take_seat(NodeId node, const std::string& node_name, bool at_once);
// Gives it back, to the first in the queue. Nothing happens where there is none.
void give_seat_back(NodeId node) noexcept;

// Whether somebody waits for a seat at the node who may have this session's; while this session
// waits itself, only who came before it. Costs next to nothing while nobody waits anywhere.
bool is_seat_wanted(NodeId node) noexcept;

// Whether this session's links are at work, so that others know whom to ask for idle ones.
void show_work(bool works) noexcept;
// The transaction is over: the next wait begins at the end of the queue.
void leave_queue() noexcept;

// Called again and again while this session waits: gives up idle links that others want.
void set_give_up_hook(void (*hook)() noexcept);

// From _PG_init, through initialize_session.
void request_seats();

}  // namespace herd::transaction
