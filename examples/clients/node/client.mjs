#!/usr/bin/env node
// Ask the launcher for an attestation token, and print it.
//
//     client.mjs                        the default token
//     client.mjs AUDIENCE [NONCE]...    a token for one relying party, with the nonces that it chose

import http from "node:http";
import { setTimeout } from "node:timers/promises";

const SOCKET = process.env.TEE_SOCKET ?? "/run/container_launcher/teeserver.sock";
const ATTEMPTS = 5;
const SECONDS = 330; // a request may wait for others for five minutes
const MAX_TOKEN_BYTES = 1 << 20;
const PASSES = [408, 429, 500, 503]; // what may be otherwise the next time

// Status and body of the answer, and after how many seconds to ask again if need be.
function ask(options) {
  return new Promise((resolve, reject) => {
    const request = http.request(
      {
        socketPath: SOCKET,
        path: "/v1/token",
        method: options ? "POST" : "GET",
        headers: options ? { "Content-Type": "application/json" } : {},
        timeout: SECONDS * 1000,
      },
      (answer) => {
        let body = "";
        answer.setEncoding("utf8");
        answer.on("data", (part) => {
          body += part;
          if (body.length > MAX_TOKEN_BYTES) answer.destroy(new Error("the answer is too long"));
        });
        answer.on("error", reject);
        answer.on("end", () => {
          const wait = Number.parseInt(answer.headers["retry-after"], 10);
          resolve({ status: answer.statusCode, body, seconds: Number.isNaN(wait) ? 1 : wait });
        });
      },
    );
    request.on("error", reject);
    request.on("timeout", () => request.destroy(new Error("no answer in time")));
    request.end(options && JSON.stringify(options));
  });
}

// What passes is waited for; anything else is an error with the launcher's own words.
async function token(options) {
  for (let attempt = 1; ; ++attempt) {
    const { status, body, seconds } = await ask(options);
    if (status === 200) return body;
    if (!PASSES.includes(status) || attempt === ATTEMPTS) {
      throw new Error(`the launcher answered ${status}: ${body.trim()}`);
    }
    await setTimeout(seconds * 1000);
  }
}

const [audience, ...nonces] = process.argv.slice(2);
try {
  console.log(await token(audience && { audience, token_type: "OIDC", nonces }));
} catch (error) {
  console.error(`client: ${error.message}`);
  process.exitCode = 1;
}
