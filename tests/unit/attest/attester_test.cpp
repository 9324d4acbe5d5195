#include "attest/attester.h"

#include "base/file.h"
#include "tests/unit/attest/machine.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/captured_log.h"
#include "tests/unit/support/credulous_verifier.h"
#include "tests/unit/support/run.h"
#include "tests/unit/support/temporary_directory.h"

using attest::Attester;
using attest::GcaVerifier;

namespace {

/// A measured machine, and its attester.
struct AttesterWorld {
  explicit AttesterWorld(bool with_file = true) : has_file(with_file) {}

  bool has_file;
  test::Machine machine;
  test::TemporaryDirectory directory;
  test::CredulousVerifier verifier{machine.context.get_executor()};
  Attester attester{machine.context.get_executor(), parts(), base::Clock::system(), {}};

  Attester::Parts parts() {
    GcaVerifier::Config config{
        .endpoint = verifier.url(), .ca_file = {}, .project_id = "p", .region = "r", .access_token = {}};
    Attester::Parts parts{.root = std::move(machine.root),
                          .verifier = std::make_unique<GcaVerifier>(machine.context.get_executor(), std::move(config)),
                          .id_tokens = {},
                          .signatures = {},
                          .file = {}};
    if (has_file) {
      parts.file.emplace(
          std::make_shared<const base::FileDescriptor>(base::open_private_directory(directory.path() / "d", 0755)));
    }
    return parts;
  }

  std::string file() const {
    return base::read_text_file(directory.path() / "d" / attest::TokenFile::kName, 1U << 20U);
  }
};

}  // namespace

TEST_CASE("an attester's default token is in memory and in the file") {
  AttesterWorld world;
  const test::CapturedLog log;
  const auto token = test::run(world.machine.context, world.attester.tokens().fresh_default_token());
  CHECK(token.token->claims["number"] == 1);
  CHECK(world.file() == token.token->jwt);
  CHECK(test::run(world.machine.context, world.attester.tokens().default_token()).token == token.token);
  test::run(world.machine.context, world.attester.stop());
}

TEST_CASE("without a file the default token is in the hands of who asks for it alone") {
  AttesterWorld world(false);
  const test::CapturedLog log;
  const auto token = test::run(world.machine.context, world.attester.tokens().default_token());
  CHECK(token.token->claims["number"] == 1);
  CHECK_FALSE(std::filesystem::exists(world.directory.path() / "d" / attest::TokenFile::kName));
  test::run(world.machine.context, world.attester.stop());
}

TEST_CASE("an attester that is stopped renews nothing, and lets go of what is under way") {
  AttesterWorld world;
  const test::CapturedLog log;
  test::run(world.machine.context, world.attester.tokens().fresh_default_token());
  world.attester.keep_fresh();
  world.verifier.refuse("/challenges", 0);
  std::exception_ptr failure;
  asio::co_spawn(world.machine.context, world.attester.tokens().fresh_default_token(),
                 [&](const std::exception_ptr& error, const attest::DefaultToken&) { failure = error; });
  world.machine.context.restart();
  world.machine.context.poll();
  test::run(world.machine.context, world.attester.stop());
  world.machine.context.restart();
  world.machine.context.poll();
  REQUIRE(failure);
  CHECK_THROWS_AS(std::rethrow_exception(failure), boost::system::system_error);
  CHECK(world.verifier.tokens() == 1);
}
