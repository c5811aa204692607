// oidc-provider's tokens in Redis: the adapter of its own examples (example/adapters/redis.js), without what no row needs.
import Redis from 'ioredis';

const redis = new Redis(process.env.BENCH_REDIS_URL, { keyPrefix: 'oidc:' });
const consumable = new Set(['AuthorizationCode', 'RefreshToken']);
const grantable = new Set(['AccessToken', ...consumable]);
const ofGrant = (grantId) => `grant:${grantId}`;

export class RedisAdapter {
  constructor(model) { this.model = model; }

  key(id) { return `${this.model}:${id}`; }

  async upsert(id, payload, expiresIn) {
    const key = this.key(id);
    const text = JSON.stringify(payload);
    const multi = redis.multi();
    if (consumable.has(this.model)) multi.hset(key, { payload: text });
    else multi.set(key, text);
    if (expiresIn) multi.expire(key, expiresIn);
    if (grantable.has(this.model) && payload.grantId) {
      const grant = ofGrant(payload.grantId);
      multi.rpush(grant, key);
      // a grant's list lives as long as the token that lives longest
      if (expiresIn > await redis.ttl(grant)) multi.expire(grant, expiresIn);
    }
    await multi.exec();
  }

  async find(id) {
    if (!consumable.has(this.model)) {
      const text = await redis.get(this.key(id));
      return text ? JSON.parse(text) : undefined;
    }
    const { payload, ...rest } = await redis.hgetall(this.key(id));
    return payload ? { ...rest, ...JSON.parse(payload) } : undefined;
  }

  async consume(id) { await redis.hset(this.key(id), 'consumed', Math.floor(Date.now() / 1000)); }

  async destroy(id) { await redis.del(this.key(id)); }

  async revokeByGrantId(grantId) {
    const keys = await redis.lrange(ofGrant(grantId), 0, -1);
    await redis.del(...keys, ofGrant(grantId));
  }
}
