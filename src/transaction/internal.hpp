// Internal sessions: connections between servers of one herd, marked at their start by a one-time
// token keyed with the herd's secret. In an internal session a node works on its own rows.
#pragma once

#include <string>

#include "catalog/herd_catalog.hpp"

namespace herd::transaction {

// A token for one connection to `username` at `dbname`, valid for a minute.
std::string make_token(const catalog::Catalog& herd, const std::string& username,
                       const std::string& dbname);

// Whether this session came with a valid token; one with a bad token is an ordinary session, whose
// internal calls fail. Needs a transaction.
bool is_internal_session();

// For functions that only another server of the herd may call: throws kNotInternal unless this is
// an internal session and the call stands in the client's own statement, not in a function or
// trigger.
void require_internal_call(const char* function);

// Runs what follows in this internal session as the user, with the rights of the other role, until
// the next call: its names are looked up and its row security is chosen for the one (a view's
// owner), what it computes runs as the other, as in one PostgreSQL. Nothing that runs so can change
// them.
void assume_roles(const std::string& user, const std::string& rights);
// Around the planning of a client's own statement in an internal session, and around each phase of
// its execution. Ordinary sessions keep their role.
void become_user();
void become_holder_of_rights();
// Whose rights the statement has; the current user's in ordinary sessions.
unsigned int holder_of_rights();

// From _PG_init: the startup option herd.link that carries the token, and the memory of used
// nonces.
void initialize_internal();

}  // namespace herd::transaction
