#include "verifier/appraisal/launch_state.h"

#include <functional>
#include <vector>

#include "base/error.h"
#include "measure/cel.h"
#include "measure/event.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/cel_records.h"
#include "tests/unit/support/allocations.h"

namespace {

using measure::CelRecord;
using measure::Event;
using measure::EventType;
using measure::HashAlgorithm;
using verifier::parse_launch_log;

const std::string kDigest = "sha256:" + std::string(64, 'a');

std::vector<Event> complete_launch() {
  return {Event::text(EventType::kImageRef, "docker.io/library/nginx:latest"),
          Event::text(EventType::kImageDigest, kDigest),
          Event::text(EventType::kRestartPolicy, "Never"),
          Event::text(EventType::kImageId, kDigest),
          Event::text(EventType::kArg, "nginx"),
          Event::text(EventType::kArg, ""),
          Event::text(EventType::kEnvVar, "A=B=C"),
          Event::text(EventType::kEnvVar, "EMPTY="),
          Event::text(EventType::kOverrideArg, ""),
          Event::text(EventType::kOverrideEnv, "A=B=C"),
          Event{EventType::kMemoryMonitor, {1}},
          Event::separator()};
}

const std::vector<HashAlgorithm> kBanks = {HashAlgorithm::kSha1, HashAlgorithm::kSha256};

std::vector<CelRecord> records_of(const std::vector<Event>& events) { return test::records_of(events, kBanks); }

using Change = std::function<void(std::vector<Event>&)>;

std::string refusal_of(const Change& change) {
  auto events = complete_launch();
  change(events);
  try {
    parse_launch_log(records_of(events));
  } catch (const base::InvalidInput& error) {
    return error.what();
  }
  return "accepted";
}

void remove(std::vector<Event>& events, EventType type) {
  std::erase_if(events, [&](const Event& event) { return event.type == type; });
}

Event& find(std::vector<Event>& events, EventType type) { return *std::ranges::find(events, type, &Event::type); }

Change append(Event event) {
  return [event](auto& events) { events.push_back(event); };
}
Change insert_first(Event event) {
  return [event](auto& events) { events.insert(events.begin(), event); };
}
Change set_text(EventType type, std::string text) {
  return [type, text](auto& events) { find(events, type).content = base::to_bytes(text); };
}

}  // namespace

TEST_CASE("a complete launch is read") {
  const auto state = parse_launch_log(records_of(complete_launch()));
  CHECK(state.image_reference == "docker.io/library/nginx:latest");
  CHECK(state.image_digest == kDigest);
  CHECK(state.image_id == kDigest);
  CHECK(state.restart_policy == "Never");
  CHECK(state.args == std::vector<std::string>{"nginx", ""});
  CHECK(state.env == std::map<std::string, std::string>{{"A", "B=C"}, {"EMPTY", ""}});
  CHECK(state.override_args == std::vector<std::string>{""});
  CHECK(state.override_env == std::map<std::string, std::string>{{"A", "B=C"}});
  CHECK(state.memory_monitoring);
  CHECK_FALSE(state.gpu_cc_mode);
}

TEST_CASE("the separator must be there, once, empty and last") {
  CHECK(refusal_of([](auto& events) { events.pop_back(); }) ==
        "launch event log: has no LaunchSeparator event: the launch was not completed");
  CHECK(refusal_of(append(Event::separator())) ==
        "launch event log: found COS Event Type 8 after LaunchSeparator event");
  CHECK(refusal_of(insert_first(Event::separator())) ==
        "launch event log: found COS Event Type 0 after LaunchSeparator event");
  CHECK(refusal_of(append(Event::text(EventType::kArg, "late"))) ==
        "launch event log: found COS Event Type 4 after LaunchSeparator event");
  CHECK(refusal_of([](auto& events) { events.back().content = {1}; }) ==
        "launch event log: LaunchSeparator: is not empty: the launch failed");
}

TEST_CASE("an event that must be there is missed by name") {
  const auto [type, name] = GENERATE(table<EventType, std::string>({{EventType::kImageRef, "ImageRef"},
                                                                    {EventType::kImageDigest, "ImageDigest"},
                                                                    {EventType::kRestartPolicy, "RestartPolicy"},
                                                                    {EventType::kImageId, "ImageID"},
                                                                    {EventType::kArg, "Arg"},
                                                                    {EventType::kMemoryMonitor, "MemoryMonitor"}}));
  CHECK(refusal_of([type = type](auto& events) { remove(events, type); }) ==
        "launch event log: has no " + name + " event");
}

TEST_CASE("an event that may stand once may not stand twice") {
  const auto type = GENERATE(EventType::kImageRef, EventType::kImageDigest, EventType::kRestartPolicy,
                             EventType::kImageId, EventType::kMemoryMonitor);
  CHECK(refusal_of([type](auto& events) { events.insert(events.begin(), find(events, type)); }) ==
        "launch event log: found more than one " + std::string(name_of(type)) + " event");
}

TEST_CASE("contents are checked") {
  CHECK_THAT(refusal_of(set_text(EventType::kImageRef, "")), ContainsSubstring("ImageRef: is empty"));
  CHECK_THAT(refusal_of(set_text(EventType::kImageDigest, "sha256:abc")),
             ContainsSubstring("ImageDigest: is not a SHA-256"));
  CHECK_THAT(refusal_of(set_text(EventType::kImageDigest, "sha256:" + std::string(64, 'A'))),
             ContainsSubstring("ImageDigest: is not a SHA-256"));
  CHECK_THAT(refusal_of(set_text(EventType::kImageId, "")), ContainsSubstring("ImageID: is not a SHA-256"));
  CHECK_THAT(refusal_of(set_text(EventType::kRestartPolicy, "never")),
             ContainsSubstring("RestartPolicy: has an unknown"));
  CHECK_THAT(refusal_of(set_text(EventType::kArg, "\xff")), ContainsSubstring("Arg: is not UTF-8"));
  CHECK_THAT(refusal_of(set_text(EventType::kArg, std::string("a\0b", 3))), ContainsSubstring("Arg: holds a NUL"));
  CHECK_THAT(refusal_of(set_text(EventType::kEnvVar, "foo.bar=1")), ContainsSubstring("EnvVar: malformed env name"));
  CHECK_THAT(refusal_of(set_text(EventType::kEnvVar, "NOEQUALS")), ContainsSubstring("EnvVar: malformed env var"));
  CHECK_THAT(refusal_of(set_text(EventType::kEnvVar, "EMPTY=other")), ContainsSubstring("EMPTY stands twice"));
  CHECK_THAT(refusal_of(insert_first(Event::text(EventType::kOverrideEnv, "A="))), ContainsSubstring("A stands twice"));
  CHECK_THAT(refusal_of(set_text(EventType::kMemoryMonitor, "")), ContainsSubstring("MemoryMonitor: is not one byte"));
  CHECK_THAT(refusal_of(set_text(EventType::kMemoryMonitor, "\x02")),
             ContainsSubstring("MemoryMonitor: is not one byte"));
  CHECK_THAT(refusal_of(insert_first(Event::text(EventType::kGpuCcMode, "MAYBE"))), ContainsSubstring("GpuCCMode"));
  CHECK_THAT(refusal_of(insert_first(Event::text(EventType::kGpuDeviceAttestationBinding, "x"))),
             ContainsSubstring("GPU evidence is not appraised"));
  CHECK(refusal_of(insert_first(Event::text(EventType::kGpuCcMode, "ON"))) == "accepted");
}

TEST_CASE("an empty log and records of another register are refused") {
  CHECK_THROWS_WITH(parse_launch_log({}), ContainsSubstring("is empty"));
  auto records = records_of(complete_launch());
  SECTION("another PCR, digests kept") {
    records[2].register_index = 14;
    CHECK_THROWS_WITH(parse_launch_log(records), ContainsSubstring("unexpected PCR 14"));
  }
  SECTION("a CC measurement register") {
    records[2].register_kind = measure::RegisterKind::kCcmr;
    CHECK_THROWS_WITH(parse_launch_log(records), ContainsSubstring("another kind of register"));
  }
}

TEST_CASE("an event whose type or content was changed with its digests kept is refused") {
  auto records = records_of(complete_launch());
  SECTION("type") { records[4].content = measure::encode_content(Event::text(EventType::kOverrideArg, "nginx")); }
  SECTION("content") { records[4].content = measure::encode_content(Event::text(EventType::kArg, "nginy")); }
  SECTION("one digest of several") { records[4].digests.set(measure::Digest::zero(HashAlgorithm::kSha1)); }
  CHECK_THROWS_WITH(parse_launch_log(records), ContainsSubstring("digest is not that of its content"));
}

TEST_CASE("a content that is not one COS event is refused") {
  auto records = records_of(complete_launch());
  const auto refuse = [&](const base::Bytes& content) {
    records[4].content = content;
    const measure::DigestSet before = records[4].digests;
    for (const auto& digest : before) records[4].digests.set(measure::Digest::of(digest.algorithm(), content));
    CHECK_THROWS_AS(parse_launch_log(records), base::InvalidInput);
  };
  refuse({0x51, 0, 0, 0, 5, 4, 0, 0, 0, 0});                  // another content type
  refuse({0x50, 0, 0, 0, 5, 12, 0, 0, 0, 0});                 // unknown event type
  refuse({0x50, 0, 0, 0, 10, 4, 0, 0, 0, 0, 4, 0, 0, 0, 0});  // two events
  refuse({0x50, 0, 0, 0, 6, 4, 0, 0, 0, 0, 0});               // a byte behind the event
  refuse({0x50, 0, 0, 0, 4, 4, 0, 0, 0});                     // fewer bytes than a TLV has
}

TEST_CASE("the number of events is limited") {
  const auto launch_of = [](std::size_t count) {
    auto events = complete_launch();
    events.insert(events.begin(), count - events.size(), Event::text(EventType::kArg, ""));
    return records_of(events);
  };
  CHECK_NOTHROW(parse_launch_log(launch_of(verifier::kMaxLaunchEvents)));
  CHECK_THROWS_WITH(parse_launch_log(launch_of(verifier::kMaxLaunchEvents + 1)), ContainsSubstring("too many events"));
}

TEST_CASE("reading a launch log is linear in its events, whatever they are") {
  const EventType event_type =
      GENERATE(EventType::kArg, EventType::kEnvVar, EventType::kOverrideArg, EventType::kOverrideEnv);
  const auto log_of = [&](std::size_t count) {
    auto events = complete_launch();
    for (std::size_t i = 0; i < count; ++i) {
      events.insert(events.begin(), Event::text(event_type, "V" + std::to_string(100000 + i) + "=value"));
    }
    base::Bytes log;
    for (const CelRecord& record : records_of(events)) base::append(log, measure::encode_record(record));
    return log;
  };
  CHECK(test::growth(1000, log_of, [](const base::Bytes& log) {
          const auto records = measure::decode_cel(log);
          (void)measure::replay_cel(records, HashAlgorithm::kSha256);
          (void)parse_launch_log(records);
        }) < test::kLinear);
}
