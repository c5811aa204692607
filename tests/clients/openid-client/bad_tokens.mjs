// A FHIR server in node that verifies JWTs by jose: reads tokens, prints the claims of each, null for what it refuses.
import { createLocalJWKSet, jwtVerify } from "jose";
import { readFileSync } from "node:fs";

const { issuer, base, jwks, tokens } = JSON.parse(readFileSync(0, "utf8"));
const keys = createLocalJWKSet(jwks);
const rules = {
  issuer,
  audience: [base, `${base}/`],
  typ: "at+jwt",
  algorithms: ["ES256", "RS256"],
  requiredClaims: ["exp", "iat", "aud", "iss"],
  maxTokenAge: "1 day", // without it jose does not look at iat
};
const longestLife = 86_400;

async function claims(token) {
  try {
    const { payload } = await jwtVerify(token, keys, rules);
    if (payload.exp > Date.now() / 1000 + longestLife || payload.cnf) return null;
    delete payload.deep;
    return payload;
  } catch {
    return null;
  }
}

const found = {};
for (const [kind, token] of Object.entries(tokens)) found[kind] = await claims(token);
console.log(JSON.stringify(found));
