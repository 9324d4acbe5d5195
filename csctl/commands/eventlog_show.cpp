#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "csctl/commands/eventlog.h"
#include "csctl/input/logs.h"
#include "measure/boot_meaning.h"

namespace csctl {
namespace {

using base::Json;

bool is_wanted(std::uint32_t pcr, const std::vector<std::uint32_t>& wanted) {
  return wanted.empty() || std::ranges::find(wanted, pcr) != wanted.end();
}

Json events_json(const std::vector<LoggedEvent>& events, const std::vector<std::uint32_t>& pcrs) {
  Json list = Json::array();
  for (const LoggedEvent& event : events) {
    if (!is_wanted(event.pcr, pcrs)) continue;
    Json digests = Json::object();
    for (const measure::Digest& digest : event.digests) {
      digests[std::string(measure::name_of(digest.algorithm()))] = base::hex_encode(digest.bytes());
    }
    list.push_back({{"number", event.number},
                    {"pcr", event.pcr},
                    {"type", event.type},
                    {"standing", name_of(event.standing)},
                    {"text", event.text},
                    {"digests", std::move(digests)}});
  }
  return list;
}

std::string title_of(std::uint32_t pcr) {
  if (pcr > measure::kMaxPcr) return "of no register";
  const std::string_view purpose = measure::purpose_of_pcr(pcr);
  return "PCR " + std::to_string(pcr) + (purpose.empty() ? "" : ": " + std::string(purpose));
}

Row row_of(const LoggedEvent& event) {
  const Tone tone = event.standing == Standing::kMeasured ? Tone::kGood : Tone::kFaint;
  return {std::to_string(event.pcr),
          std::to_string(event.number),
          event.type,
          {std::string(name_of(event.standing)), tone},
          event.text};
}

void show(const std::vector<LoggedEvent>& events, const std::vector<std::uint32_t>& pcrs, Screen& screen) {
  std::map<std::uint32_t, Table> tables;
  for (const LoggedEvent& event : events) {
    if (!is_wanted(event.pcr, pcrs)) continue;
    const auto [table, is_new] =
        tables.try_emplace(event.pcr, Table{.headings = {"PCR", "EVENT", "TYPE", "TEXT IS", "TEXT"}});
    table->second.rows.push_back(row_of(event));
  }
  for (const auto& [pcr, table] : tables) {
    screen.heading(title_of(pcr));
    screen.table(table);
    screen.heading("");
  }
}

}  // namespace

ExitCode show_eventlog(const EventlogShowOptions& options, Screen& screen) {
  const Logs logs = Logs::read(options.source);
  if (!options.json) {
    show(logs.boot_events(), options.pcrs, screen);
    show(logs.launch_events(), options.pcrs, screen);
    return ExitCode::kYes;
  }
  Json document = Json::object();
  if (logs.boot) document["boot_log"] = events_json(logs.boot_events(), options.pcrs);
  if (logs.launch) document["launch_log"] = events_json(logs.launch_events(), options.pcrs);
  screen.json(document);
  return ExitCode::kYes;
}

}  // namespace csctl
