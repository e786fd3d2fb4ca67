// Failpoints in a node's part of a commit: what the coordinator's session or supervisor has it do.
//
//   node.before_prepare  node.after_prepare                      PREPARE TRANSACTION
//   node.before_commit   node.after_commit                       COMMIT of the only node that wrote
//   node.before_finish_prepared  node.after_finish_prepared      COMMIT and ROLLBACK PREPARED
//
// Reached in internal sessions only, so that a test's own sessions on the node go on.
#pragma once

namespace herd::transaction {

// Within a transaction.
void reach_node_step(const char* name);

// From initialize_commit.
void initialize_node_steps();

}  // namespace herd::transaction
