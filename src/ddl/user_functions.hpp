// While PostgreSQL runs a definition here, its own queries stay on this server. Those of users'
// functions inside (event triggers, defaults, checks) are statements like any other.
#pragma once

namespace herd::ddl {

// From _PG_init, through initialize_ddl.
void initialize_user_functions();

}  // namespace herd::ddl
