#include "attest/attester.h"

#include <chrono>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>

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
  std::chrono::hours wall_ahead{0};
  std::chrono::hours boot_ahead{0};
  Attester attester{machine.context.get_executor(), parts(), clock(), {}};

  base::Clock clock() {
    return {.wall = [this] { return base::Clock::system().wall() + wall_ahead; },
            .since_boot = [this] { return base::Clock::system().since_boot() + boot_ahead; }};
  }

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

TEST_CASE("the file does not outlive its token, on either clock (T 19)") {
  AttesterWorld world;
  const test::CapturedLog log;
  const auto path = world.directory.path() / "d" / attest::TokenFile::kName;
  test::run(world.machine.context, world.attester.tokens().fresh_default_token());
  world.attester.keep_fresh();
  const base::FileDescriptor reader(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const auto size_for_the_reader = [&] {
    struct stat status {};
    REQUIRE(::fstat(reader.get(), &status) == 0);
    return status.st_size;
  };
  const auto size = size_for_the_reader();
  world.verifier.refuse("/challenges", 0);  // a renewal does not come in time
  SECTION("a clock that is set") { world.wall_ahead = std::chrono::hours(2); }
  SECTION("a machine that slept") { world.boot_ahead = std::chrono::hours(2); }
  world.machine.context.restart();
  const auto deadline = std::chrono::steady_clock::now() + test::kTestDeadline;
  while (std::filesystem::exists(path) && std::chrono::steady_clock::now() < deadline) {
    world.machine.context.run_one_for(test::kTestDeadline);
  }
  CHECK_FALSE(std::filesystem::exists(path));
  CHECK(size_for_the_reader() == size);  // who reads it reads a whole token
  CHECK(log.count("the attestation token in the file has expired") == 1);
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
