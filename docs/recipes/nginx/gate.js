// Decides for nginx's auth_request: 204 lets the request through, 401 and 403 refuse it, 500 says that nobody knows.
const INVALID = 'Bearer error="invalid_token"';
const WORDS = { read: 'rs', write: 'cud', '*': 'cruds' };

async function gate(request) {
    const header = request.headersIn.Authorization || '';
    const bearer = /^bearer +([A-Za-z0-9._~+\/-]{1,16000}=*)$/i.exec(header);
    if (!bearer) {
        return refuse(request, 401, /^bearer /i.test(header) ? INVALID : 'Bearer');
    }
    const claims = await introspected(request, bearer[1]);
    if (claims === null) {
        return request.return(500);
    }
    if (!isForUs(claims, request.variables.fhir_base)) {
        return refuse(request, 401, INVALID);
    }
    if (!isId(claims.patient) || !isAllowed(claims.scope, request.variables.interaction)) {
        return refuse(request, 403, 'Bearer error="insufficient_scope"');
    }
    if (request.variables.asked && request.variables.asked !== claims.patient) {
        return refuse(request, 403, '');
    }
    request.headersOut['X-Patient'] = claims.patient;
    request.return(204);
}

// Live, made for this base, and not bound to a key (`cnf`): nobody here checks that its holder has the key.
function isForUs(claims, base) {
    return claims.active === true && !('cnf' in claims) && [].concat(claims.aud).includes(base);
}

// What nginx may write into an address. Not by `^...$`: in njs `$` lets a line break at the end pass.
function isId(patient) {
    return typeof patient === 'string' && patient !== '' && patient.length <= 64 && !/[^A-Za-z0-9.-]/.test(patient);
}

async function introspected(request, token) {
    const me = Buffer.from(request.variables.client).toString('base64');
    const form = 'application/x-www-form-urlencoded';
    try {
        const answer = await ngx.fetch(request.variables.introspect, {
            method: 'POST',
            body: 'token=' + encodeURIComponent(token),
            headers: { Authorization: 'Basic ' + me, 'Content-Type': form },
        });
        const claims = answer.status === 200 ? await answer.json() : null;
        return claims && typeof claims === 'object' ? claims : null;
    } catch (error) {
        return null;
    }
}

// `interaction` is a type and a letter, such as "Patient r".
function isAllowed(scope, interaction) {
    const wanted = interaction.split(' ');
    return typeof scope === 'string' && scope.split(' ').some((name) => {
        const held = /^patient\/(\*|[A-Za-z]+)\.(c?r?u?d?s?|read|write|\*)$/.exec(name);
        return held && (held[1] === '*' || held[1] === wanted[0]) && (WORDS[held[2]] || held[2]).includes(wanted[1]);
    });
}

function refuse(request, status, challenge) {
    if (challenge) {
        request.headersOut['WWW-Authenticate'] = challenge;
    }
    request.return(status);
}

export default { gate };
