#include "verifier/reference/seen_publications.h"

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "base/encoding.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"

namespace verifier {
namespace {

using base::Json;
using base::JsonObject;

constexpr std::size_t kMaxFileBytes = std::size_t{1} << 20U;
constexpr mode_t kStateMode = 0700;
constexpr mode_t kFileMode = 0600;

struct Seen {
  std::uint64_t version = 0;
  std::string sha256;

  friend bool operator==(const Seen&, const Seen&) = default;
};

using SeenByPublisher = std::map<std::string, Seen>;

SeenByPublisher read(const std::filesystem::path& path) {
  SeenByPublisher all;
  if (!std::filesystem::exists(path)) return all;
  const Json parsed = base::parse_json(base::read_text_file(path, kMaxFileBytes), path.string());
  const JsonObject document(parsed, path.string());
  for (const auto& [publisher, value] : document.raw().items()) {
    const JsonObject entry = document.object(publisher.c_str());
    all[publisher] = {entry.unsigned_integer("version"), entry.string("sha256")};
  }
  return all;
}

void write(const base::FileDescriptor& directory, const SeenByPublisher& all) {
  Json json = Json::object();
  for (const auto& [publisher, seen] : all) json[publisher] = {{"version", seen.version}, {"sha256", seen.sha256}};
  const std::string text = json.dump(2) + "\n";
  base::replace_file(directory, kSeenPublicationsFile, base::view_of(text), kFileMode);
}

void expect_not_older(const Seen& current, const Seen& before, const std::string& publisher) {
  const std::string version = "version " + std::to_string(current.version);
  if (current.version < before.version) {
    throw base::Error("publisher \"" + publisher + "\": " + version +
                      " of its reference values is older than version " + std::to_string(before.version) +
                      ", which has been in use");
  }
  if (current.version == before.version && current.sha256 != before.sha256) {
    throw base::Error("publisher \"" + publisher + "\": " + version +
                      " of its reference values is not the one that has been in use");
  }
}

/// What is to be noted when `publications` come into use.
SeenByPublisher followed_by(const SeenByPublisher& before,
                            const std::vector<std::shared_ptr<const Publication>>& publications) {
  SeenByPublisher after = before;
  for (const auto& publication : publications) {
    const Seen current{publication->version, base::hex_encode(publication->sha256)};
    const auto known = before.find(publication->publisher);
    if (known != before.end()) expect_not_older(current, known->second, publication->publisher);
    after[publication->publisher] = current;
  }
  return after;
}

}  // namespace

void expect_not_older(const std::filesystem::path& state_directory,
                      const std::vector<std::shared_ptr<const Publication>>& publications) {
  followed_by(read(state_directory / kSeenPublicationsFile), publications);
}

void note_not_older(const std::filesystem::path& state_directory,
                    const std::vector<std::shared_ptr<const Publication>>& publications) {
  if (publications.empty()) return;
  const base::FileDescriptor directory = base::open_private_directory(state_directory, kStateMode);
  base::wait_for_directory_lock(directory);
  const SeenByPublisher before = read(state_directory / kSeenPublicationsFile);
  const SeenByPublisher after = followed_by(before, publications);
  if (after != before) write(directory, after);
}

}  // namespace verifier
