#include "csctl/input/logs.h"

#include <fstream>
#include <string>

#include "base/error.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/boot_log_writer.h"
#include "tests/unit/support/temporary_directory.h"

using csctl::LoggedEvent;
using csctl::Logs;
using csctl::Standing;
using measure::HashAlgorithm;

namespace {

std::string written(const test::TemporaryDirectory& folder, const base::Bytes& bytes) {
  const std::string path = folder.path() / "log";
  std::ofstream(path, std::ios::binary) << base::text_of(bytes);
  return path;
}

base::Bytes record(std::uint64_t number, const base::Bytes& content, const base::Bytes& measured) {
  return measure::encode_record({.number = number,
                                 .register_kind = measure::RegisterKind::kPcr,
                                 .register_index = measure::kLaunchPcr,
                                 .digests = {measure::Digest::of(HashAlgorithm::kSha256, measured)},
                                 .content = content});
}

}  // namespace

TEST_CASE("Events of a boot log have words, and say what stands behind them") {
  const test::TemporaryDirectory folder;
  const Logs logs = Logs::read(written(folder, test::recorded_boot_log()));
  const auto events = logs.boot_events();
  REQUIRE(events.size() == 37);
  CHECK(events[0].standing == Standing::kNotMeasured);
  CHECK(events[4].text == "SecureBoot = on");
  CHECK(events[4].standing == Standing::kMeasured);
  CHECK(events[24].type == "EV_EFI_BOOT_SERVICES_APPLICATION");
  CHECK(events[24].standing == Standing::kOnlySaid);
  CHECK(csctl::banks_of(events).size() >= 1);
  CHECK(logs.launch_events().empty());
}

TEST_CASE("Events of a launch are shown as what they say") {
  const test::TemporaryDirectory folder;
  const base::Bytes reference = measure::encode_content(measure::Event::text(measure::EventType::kImageRef, "a/b:c"));
  const base::Bytes monitor = measure::encode_content({measure::EventType::kMemoryMonitor, {1}});
  base::Bytes log = record(0, reference, reference);
  base::append(log, record(1, monitor, reference));
  const auto events = Logs::read(written(folder, log)).launch_events();
  REQUIRE(events.size() == 2);
  CHECK(events[0].type == "ImageRef");
  CHECK(events[0].text == "a/b:c");
  CHECK(events[0].standing == Standing::kMeasured);
  CHECK(events[1].text == "on");
  CHECK(events[1].standing == Standing::kOnlySaid);  // its digest is of something else
}

TEST_CASE("Banks are those of which every measured event has a digest") {
  const auto event = [](std::initializer_list<HashAlgorithm> banks, Standing standing) {
    LoggedEvent made;
    made.standing = standing;
    for (const HashAlgorithm bank : banks) made.digests.insert(measure::Digest::zero(bank));
    return made;
  };
  const LoggedEvent both = event({HashAlgorithm::kSha1, HashAlgorithm::kSha256}, Standing::kMeasured);
  CHECK(csctl::banks_of({both, event({HashAlgorithm::kSha256}, Standing::kMeasured)}) ==
        std::vector{HashAlgorithm::kSha256});
  CHECK(csctl::banks_of({both, event({}, Standing::kNotMeasured)}).size() == 2);
  CHECK(csctl::banks_of({}).empty());
}

TEST_CASE("What is no log is told with the file's name") {
  const test::TemporaryDirectory folder;
  const std::string path = written(folder, {1, 2, 3});
  CHECK_THROWS_WITH(Logs::read(path), StartsWith(path + ": boot event log: is no TCG event log"));
  CHECK_THROWS_AS(Logs::read(folder.path() / "absent"), base::SystemError);
}
