// A workload that asks for its token again and again: one connection, one request at a time, blocking. Prints JSON.

#include <algorithm>
#include <chrono>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include "base/asio.h"

namespace {

using Socket = asio::local::stream_protocol::socket;

constexpr std::string_view kRequest = "GET /v1/token HTTP/1.1\r\nHost: localhost\r\n\r\n";
constexpr std::string_view kLength = "Content-Length: ";
constexpr std::string_view kEndOfHeader = "\r\n\r\n";

/// Sends one request and reads its whole response into `buffer`.
void get(Socket& socket, std::vector<char>& buffer) {
  asio::write(socket, asio::buffer(kRequest));
  std::size_t have = 0;
  std::size_t whole = 0;
  while (whole == 0 || have < whole) {
    have += socket.read_some(asio::buffer(buffer.data() + have, buffer.size() - have));
    const std::string_view text(buffer.data(), have);
    const std::size_t end = text.find(kEndOfHeader);
    if (whole != 0 || end == std::string_view::npos) continue;
    const std::size_t length = text.find(kLength);
    if (!text.starts_with("HTTP/1.1 200 ") || length > end) throw std::runtime_error("no token: " + std::string(text));
    whole = end + kEndOfHeader.size() + std::stoul(std::string(text.substr(length + kLength.size(), 9)));
    if (whole > buffer.size()) throw std::runtime_error("the token is too long");
  }
}

void bench(const std::string& path, std::size_t count) {
  asio::io_context context;
  Socket socket(context);
  socket.connect(asio::local::stream_protocol::endpoint(path));
  std::vector<char> buffer(std::size_t{64} << 10U);
  std::vector<double> microseconds;
  for (std::size_t i = 0; i < count; ++i) {
    const auto began = std::chrono::steady_clock::now();
    get(socket, buffer);
    microseconds.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - began).count());
  }
  std::ranges::sort(microseconds);
  std::cout << "{\"count\":" << count << ",\"p50_us\":" << microseconds[count / 2]
            << ",\"p99_us\":" << microseconds[count * 99 / 100] << "}\n";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: cs-bench-token-client SOCKET COUNT\n";
    return 2;
  }
  try {
    bench(argv[1], std::stoul(argv[2]));
  } catch (const std::exception& error) {
    std::cerr << "cs-bench-token-client: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
