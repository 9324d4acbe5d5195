#include "tests/unit/support/faulty_tpm.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <thread>
#include <vector>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include "base/asio.h"
#include "tests/unit/support/temporary_directory.h"

namespace test {
namespace {

using base::Bytes;
using boost::system::error_code;
using Local = asio::local::stream_protocol;

constexpr std::size_t kHeaderSize = 10;  // tag u16, size u32, code u32, all big-endian

std::uint32_t u32_at(const Bytes& bytes, std::size_t offset) {
  return base::ByteReader(base::ByteView(bytes).subspan(offset), "TPM message").u32_be("field");
}

/// One TPM command or response; false at the end of the stream.
bool read_message(Local::socket& socket, Bytes& message) {
  error_code code;
  message.resize(kHeaderSize);
  asio::read(socket, asio::buffer(message), code);
  if (code) return false;
  message.resize(std::max<std::size_t>(u32_at(message, 2), kHeaderSize));
  asio::read(socket, asio::buffer(message.data() + kHeaderSize, message.size() - kHeaderSize), code);
  return !code;
}

}  // namespace

struct FaultyTpm::Impl {
  Impl(std::filesystem::path real, Fault f) : real_socket(std::move(real)), fault(std::move(f)) {
    data_thread = std::thread([this] { accept_on(data, [this](Local::socket& client) { serve_data(client); }); });
    control_thread =
        std::thread([this] { accept_on(control, [this](Local::socket& client) { serve_control(client); }); });
  }

  ~Impl() {
    stopping = true;
    // A blocking accept ends when somebody connects.
    for (auto* acceptor : {&data, &control}) {
      Local::socket knock(context);
      error_code ignored;
      knock.connect(acceptor->local_endpoint(), ignored);
    }
    {
      const std::scoped_lock lock(mutex);
      for (Local::socket* socket : open) {
        error_code ignored;
        socket->shutdown(asio::socket_base::shutdown_both, ignored);
      }
    }
    data_thread.join();
    control_thread.join();
  }

  void accept_on(Local::acceptor& acceptor, const std::function<void(Local::socket&)>& serve) {
    while (!stopping) {
      Local::socket client(context);
      error_code code;
      acceptor.accept(client, code);
      if (code || stopping) return;
      const Registered registered(*this, client);
      serve(client);
    }
  }

  void serve_data(Local::socket& client) {
    Local::socket tpm(context);
    tpm.connect(Local::endpoint(real_socket.string()));
    const Registered registered(*this, tpm);
    Bytes message;
    while (read_message(client, message)) {
      error_code code;
      if (const auto answer = fault(u32_at(message, 6))) {
        asio::write(client, asio::buffer(answer->bytes), code);
        if (answer->then_silent) {
          std::array<char, 1> nothing{};
          asio::read(client, asio::buffer(nothing), code);
        }
        if (code || answer->bytes.size() < kHeaderSize) return;
        continue;
      }
      asio::write(tpm, asio::buffer(message), code);
      if (code || !read_message(tpm, message)) return;
      asio::write(client, asio::buffer(message), code);
    }
  }

  /// swtpm's control protocol: the client sends one command and reads one answer.
  void serve_control(Local::socket& client) {
    Local::socket tpm(context);
    tpm.connect(Local::endpoint(real_socket.string() + ".ctrl"));
    const Registered registered(*this, tpm);
    std::array<char, 4096> buffer{};
    for (;;) {
      error_code code;
      std::size_t got = client.read_some(asio::buffer(buffer), code);
      if (code) return;
      asio::write(tpm, asio::buffer(buffer.data(), got), code);
      got = tpm.read_some(asio::buffer(buffer), code);
      if (code) return;
      asio::write(client, asio::buffer(buffer.data(), got), code);
    }
  }

  struct Registered {
    Registered(Impl& i, Local::socket& s) : impl(i), socket(s) {
      const std::scoped_lock lock(impl.mutex);
      impl.open.push_back(&socket);
    }
    ~Registered() {
      const std::scoped_lock lock(impl.mutex);
      std::erase(impl.open, &socket);
    }
    Impl& impl;
    Local::socket& socket;
  };

  std::filesystem::path real_socket;
  Fault fault;
  TemporaryDirectory directory;
  asio::io_context context;
  Local::acceptor data{context, Local::endpoint((directory.path() / "tpm").string())};
  Local::acceptor control{context, Local::endpoint((directory.path() / "tpm.ctrl").string())};
  std::mutex mutex;
  std::vector<Local::socket*> open;
  std::atomic<bool> stopping = false;
  std::thread data_thread;
  std::thread control_thread;
};

FaultyTpm::FaultyTpm(const std::filesystem::path& real_socket, Fault fault)
    : impl_(std::make_unique<Impl>(real_socket, std::move(fault))) {}

FaultyTpm::~FaultyTpm() = default;

std::string FaultyTpm::tcti() const { return "swtpm:path=" + (impl_->directory.path() / "tpm").string(); }

Bytes FaultyTpm::response(std::uint32_t response_code) {
  Bytes bytes = {0x80, 0x01};  // TPM_ST_NO_SESSIONS
  base::append_u32_be(bytes, kHeaderSize);
  base::append_u32_be(bytes, response_code);
  return bytes;
}

}  // namespace test
