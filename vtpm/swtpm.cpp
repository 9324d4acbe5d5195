#include "vtpm/swtpm.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>

#include "base/error.h"
#include "base/file.h"

namespace vtpm {
namespace {

constexpr std::chrono::seconds kReadyTimeout{10};
constexpr std::chrono::milliseconds kPollInterval{2};
constexpr mode_t kStateMode = 0700;
constexpr std::size_t kMaxLogBytes = std::size_t{1} << 20U;

bool accepts_connections(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = path.string();
  if (name.size() >= sizeof(address.sun_path)) throw base::Error("the socket path " + name + " is too long");
  std::memcpy(address.sun_path, name.data(), name.size());
  const base::FileDescriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
}

std::filesystem::path control_of(const std::filesystem::path& socket) { return socket.string() + ".ctrl"; }

}  // namespace

void make_tpm_state(const std::filesystem::path& state, const std::vector<std::string>& pcr_banks) {
  base::open_private_directory(state, kStateMode);
  std::string banks;
  for (const std::string& bank : pcr_banks) banks += (banks.empty() ? "" : ",") + bank;
  base::ChildProcess setup(
      {"swtpm_setup", "--tpm2", "--tpmstate", state.string(), "--pcr-banks", banks, "--overwrite"});
  const int code = setup.wait();
  if (code != 0) throw base::Error("swtpm_setup ended with " + std::to_string(code));
}

Swtpm::Swtpm(std::filesystem::path state)
    : state_(std::move(state)),
      directory_("cs-vtpm"),
      socket_(directory_.path() / "tpm.sock"),
      tcti_("swtpm:path=" + socket_.string()) {
  base::open_private_directory(state_, kStateMode);
  start();
}

std::filesystem::path Swtpm::log_file() const { return directory_.path() / "swtpm.log"; }

void Swtpm::start() {
  process_.emplace(std::vector<std::string>{"swtpm", "socket", "--tpm2", "--tpmstate", "dir=" + state_.string(),
                                            "--server", "type=unixio,path=" + socket_.string(), "--ctrl",
                                            "type=unixio,path=" + control_of(socket_).string(), "--flags",
                                            "not-need-init,startup-clear", "--log", "file=" + log_file().string()});
  try {
    wait_until_ready();
  } catch (const base::Error&) {
    process_.reset();
    throw;
  }
}

void Swtpm::wait_until_ready() {
  const auto deadline = std::chrono::steady_clock::now() + kReadyTimeout;
  // swtpm binds both sockets before it serves either, the control socket first.
  while (!accepts_connections(socket_) || !accepts_connections(control_of(socket_))) {
    if (!process_->is_running()) {
      throw base::Error("swtpm ended with " + std::to_string(process_->wait()) + " instead of serving " +
                        state_.string() + ": " + base::read_text_file(log_file(), kMaxLogBytes));
    }
    if (std::chrono::steady_clock::now() >= deadline) throw base::Error("swtpm did not start to serve in time");
    std::this_thread::sleep_for(kPollInterval);
  }
}

void Swtpm::power_cycle() {
  process_.reset();
  std::error_code absent_is_fine;
  std::filesystem::remove(socket_, absent_is_fine);
  std::filesystem::remove(control_of(socket_), absent_is_fine);
  start();
}

}  // namespace vtpm
