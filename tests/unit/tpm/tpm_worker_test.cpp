#include "tpm/tpm_worker.h"

#include "tests/unit/catch.h"
#include "tests/unit/support/faulty_tpm.h"
#include "tests/unit/support/manual_time.h"
#include "tests/unit/support/run.h"
#include "tests/unit/support/swtpm.h"

using tpm::Tpm;
using tpm::TpmError;
using tpm::TpmWorker;

TEST_CASE("jobs run one behind the other and their results come back") {
  test::Swtpm swtpm;
  asio::io_context context;
  TpmWorker worker;
  CHECK_THROWS_WITH(test::run(context, worker.run([](Tpm&) { return 1; })), ContainsSubstring("not open"));
  test::run(context, worker.open(swtpm.tcti()));
  CHECK(test::run(context, worker.run([](Tpm& tpm) { return tpm.pcr_banks().size(); })) == 4);
  CHECK_THROWS_WITH(test::run(context, worker.run([](Tpm&) -> int { throw base::Error("job"); })), "job");
}

TEST_CASE("a TPM that is not there can't be opened") {
  asio::io_context context;
  TpmWorker worker;
  try {
    test::run(context, worker.open("swtpm:path=/nonexistent/socket"));
    FAIL("opened");
  } catch (const TpmError& error) {
    CHECK(error.action() == base::Action::kReboot);
  }
}

TEST_CASE("a TPM that says nothing past the deadline is given up, and nothing waits for it") {
  static constexpr base::Milliseconds kDeadline{300};
  test::Swtpm swtpm;
  const std::string socket = swtpm.tcti().substr(swtpm.tcti().find('=') + 1);
  test::ManualContext context;
  test::FaultyTpm faulty(socket, [&context](std::uint32_t command) -> std::unique_ptr<test::FaultyTpm::Answer> {
    if (command != 0x182) return nullptr;
    asio::post(context, [&context] { context.time.advance(kDeadline); });
    return std::make_unique<test::FaultyTpm::Answer>(test::FaultyTpm::Answer{{}, true});
  });
  {
    TpmWorker worker(kDeadline);
    test::run(context, worker.open(faulty.tcti()));
    const auto extend = [](Tpm& tpm) {
      tpm.extend(13, {measure::Digest(measure::HashAlgorithm::kSha256, base::Bytes(32, 1))});
      return true;
    };
    CHECK_THROWS_WITH(test::run(context, worker.run(extend)), "the TPM did not answer in time");
    CHECK_THROWS_WITH(test::run(context, worker.run(extend)), "the TPM has stopped answering");
  }
}
