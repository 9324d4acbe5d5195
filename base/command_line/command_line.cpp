#include "base/command_line/command_line.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <link.h>

#include <CLI/CLI.hpp>

#include "base/bytes.h"
#include "base/command_line/command_text.h"
#include "base/command_line/completion.h"
#include "base/command_line/manual.h"
#include "base/encoding.h"
#include "base/log.h"

namespace base {
namespace {

/// In the notes of one of the program's segments (elf(5), NT_GNU_BUILD_ID); empty when there is none.
Bytes build_id_in(ByteView notes) {
  constexpr std::string_view kOwner("GNU\0", 4);
  constexpr std::size_t kAlignment = 4;
  const auto padded = [](std::size_t size) { return (size + kAlignment - 1) / kAlignment * kAlignment; };
  ByteReader reader(notes, "notes");
  while (reader.left() >= sizeof(ElfW(Nhdr))) {
    const std::uint32_t name_size = reader.u32_le("size of the name");
    const std::uint32_t size = reader.u32_le("size of the description");
    const std::uint32_t type = reader.u32_le("type");
    const std::string_view name = base::text_of(reader.take(padded(name_size), "name")).substr(0, name_size);
    const ByteView description = reader.take(padded(size), "description").first(size);
    if (type == NT_GNU_BUILD_ID && name == kOwner) return {description.begin(), description.end()};
  }
  return {};
}

/// Of the first object, which is the program itself.
int find_build_id(dl_phdr_info* object, std::size_t, void* found) {
  for (std::size_t i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = object->dlpi_phdr[i];
    if (segment.p_type != PT_NOTE) continue;
    // NOLINTNEXTLINE(performance-no-int-to-ptr,cppcoreguidelines-pro-type-reinterpret-cast): where it was loaded
    const auto* notes = reinterpret_cast<const std::uint8_t*>(object->dlpi_addr + segment.p_vaddr);
    Bytes id = build_id_in({notes, segment.p_memsz});
    if (id.empty()) continue;
    *static_cast<Bytes*>(found) = std::move(id);
    break;
  }
  return 1;
}

Bytes build_id() {
  Bytes id;
  ::dl_iterate_phdr(find_build_id, &id);
  return id;
}

/// The innermost subcommand that the line names.
const CLI::App& innermost(const CLI::App& app) {
  const CLI::App* place = &app;
  for (auto chosen = place->get_subcommands(); !chosen.empty(); chosen = place->get_subcommands()) {
    place = chosen.front();
  }
  return *place;
}

std::string subcommand_names(const CLI::App& app) {
  std::string names;
  for (const CLI::App* subcommand :
       app.get_subcommands([](const CLI::App* any) { return !any->get_group().empty(); })) {
    if (!names.empty()) names += ", ";
    names += subcommand->get_name();
  }
  return names;
}

/// What is wrong with a line of which some words were not understood, or on which one is missing.
std::string reason(const CLI::App& app, const CLI::App& place, const CLI::Error& error) {
  const std::vector<std::string> left = app.remaining(true);
  const std::string names = subcommand_names(place);
  const std::string choice = names.empty() ? "" : ": there are " + names;
  const auto is = [&error](CLI::ExitCodes code) { return error.get_exit_code() == static_cast<int>(code); };
  const bool lacks_subcommand = is(CLI::ExitCodes::RequiredError) && place.get_require_subcommand_min() > 0;
  if (!is(CLI::ExitCodes::ExtrasError) && !lacks_subcommand) return error.what();
  if (left.empty()) return "a subcommand is missing" + choice;
  if (left.front().starts_with('-')) return "there is no option " + left.front();
  if (names.empty()) return "one word too many, " + left.front();
  return "there is no subcommand " + left.front() + choice;
}

}  // namespace

std::string version_text(std::string_view name, std::string_view version) {
  std::string text = std::string(name) + " " + std::string(version);
  const Bytes id = build_id();
  return id.empty() ? text : text + " (build " + hex_encode(id) + ")";
}

std::string error_line(const CLI::App& app, const CLI::Error& error) {
  const CLI::App& place = innermost(app);
  return log::one_line(app.get_name() + ": " + reason(app, place, error) + " (" + describe(place).name +
                       " --help says more)");
}

void set_up(CLI::App& app, ProgramText text) {
  app.set_version_flag("--version", version_text(app.get_name(), text.version), "Say which version and build this is");
  app.set_help_flag("-h,--help", "Say what can be asked here");
  const auto complete = [&app](const std::string& shell) {
    throw CLI::CallForVersion(completion_script(describe(app), shell), 0);
  };
  app.add_option_function<std::string>("--completion", complete,
                                       "Print a script by which a shell completes this command line")
      ->check(CLI::IsMember(std::vector<std::string>(kShells.begin(), kShells.end())));
  const auto write_manual = [&app, text](const std::string& folder) {
    for (const auto& [file, page] :
         manual_pages(describe(app),
                      {.section = text.manual_section, .version = std::string(text.version), .status = text.status})) {
      std::ofstream(std::filesystem::path(folder) / file) << page;
    }
    throw CLI::Success();
  };
  app.add_option_function<std::string>("--manual", write_manual, "Write the manual pages into this folder")
      ->type_name("FOLDER")
      ->check(CLI::ExistingDirectory)
      ->group("");
  const auto help = [](const CLI::App* place, const std::string&, CLI::AppFormatMode) {
    return help_text(describe(*place));
  };
  app.formatter_fn(help);
  app.failure_message([](const CLI::App* root, const CLI::Error& error) { return error_line(*root, error) + '\n'; });
}

}  // namespace base
