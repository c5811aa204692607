const strategy = require('@asymmetrik/sof-strategy');

module.exports.strategy = strategy({
  introspectionUrl: process.env.INTROSPECT,
  clientId: process.env.CLIENT_ID,
  clientSecret: process.env.CLIENT_SECRET,
});
