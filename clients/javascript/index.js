'use strict';
// For FHIR servers: smartauth decides what each request may do, and nothing else is let through.
const { Enforcement } = require('./enforcement');
const { middleware } = require('./middleware');

exports.Enforcement = Enforcement;
exports.middleware = middleware;
