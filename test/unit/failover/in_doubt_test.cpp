#include "failover/in_doubt.hpp"

#include <gtest/gtest.h>

namespace herd {
namespace {

using Status = TransactionStatus;

constexpr const char* kCluster = "c";

PreparedTransaction prepared(std::int64_t age_ms, std::int64_t term = 1,
                             const char* cluster = kCluster) {
    return {PreparedId{cluster, term, NodeId{2}, 100, 55}, age_ms};
}

Verdict judged(const PreparedTransaction& transaction, Status status, bool recorded = false) {
    return judge(transaction, Decider{kCluster, 1, 55}, status, recorded);
}

TEST(InDoubt, TheCoordinatorsCommitDecides) {
    EXPECT_EQ(judged(prepared(5000), Status::kCommitted), Verdict::kCommit);
    EXPECT_EQ(judged(prepared(5000), Status::kAborted), Verdict::kRollBack);
}

TEST(InDoubt, RunningTransactionsAreLeftHoweverOld) {
    EXPECT_EQ(judged(prepared(1'000'000), Status::kInProgress), Verdict::kLeave);
}

TEST(InDoubt, ASessionHasTimeToFinishItsOwn) {
    EXPECT_EQ(judged(prepared(kSessionsOwnMs - 1), Status::kCommitted), Verdict::kLeave);
    EXPECT_EQ(judged(prepared(0), Status::kAborted), Verdict::kLeave);
    EXPECT_EQ(judged(prepared(kSessionsOwnMs), Status::kAborted), Verdict::kRollBack);
}

TEST(InDoubt, AnotherHerdsTransactionIsNeverTouched) {
    EXPECT_EQ(judged(prepared(5000, 1, "other"), Status::kCommitted), Verdict::kNotOurs);
    EXPECT_EQ(judged(prepared(5000, 1, "other"), Status::kAborted), Verdict::kNotOurs);
}

TEST(InDoubt, AnotherTermIsForPeople) {
    EXPECT_EQ(judged(prepared(5000, 2), Status::kAborted), Verdict::kUndecidable);
    EXPECT_EQ(judged(prepared(5000, 0), Status::kCommitted, true), Verdict::kUndecidable);
}

TEST(InDoubt, WithoutAStatusOnlyARecordDecides) {
    EXPECT_EQ(judged(prepared(5000), Status::kUnknown), Verdict::kUndecidable);
    EXPECT_EQ(judged(prepared(5000), Status::kUnknown, true), Verdict::kCommit);
}

// After a crash PostgreSQL gives a number again that no flushed WAL record had: its new owner's
// commit says nothing about the transaction that the node holds.
TEST(InDoubt, AnEarlierRunsTransactionNeedsItsRecord) {
    PreparedTransaction lost = prepared(5000);
    lost.id.run = 44;
    EXPECT_EQ(judged(lost, Status::kCommitted), Verdict::kRollBack);
    EXPECT_EQ(judged(lost, Status::kAborted), Verdict::kRollBack);
    EXPECT_EQ(judged(lost, Status::kCommitted, true), Verdict::kCommit);
    EXPECT_EQ(judged(lost, Status::kUnknown), Verdict::kUndecidable);
}

// The same crash, before the number is given again.
TEST(InDoubt, ANumberThatACrashHasLostIsRolledBack) {
    PreparedTransaction lost = prepared(5000);
    EXPECT_EQ(judged(lost, Status::kNotGiven), Verdict::kUndecidable) << "impossible in one run";
    lost.id.run = 44;
    EXPECT_EQ(judged(lost, Status::kNotGiven), Verdict::kRollBack);
    EXPECT_EQ(judged(lost, Status::kNotGiven, true), Verdict::kCommit);
}

TEST(InDoubt, EachVerdictHasAWord) {
    EXPECT_STREQ(word_for(Verdict::kNotOurs), "not ours");
    EXPECT_STREQ(word_for(Verdict::kLeave), "in progress");
    EXPECT_STREQ(word_for(Verdict::kCommit), "committing");
    EXPECT_STREQ(word_for(Verdict::kRollBack), "rolling back");
    EXPECT_STREQ(word_for(Verdict::kUndecidable), "undecidable");
}

}  // namespace
}  // namespace herd
