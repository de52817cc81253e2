/*
 * The webhook of the media type "Remedia": one post for each problem, recovery and update of a trigger.
 * Runs in Zabbix's own interpreter (Duktape: ES5, no let, no arrow functions) as the body of function (value).
 * It must return a string: without a return value Zabbix posts again although Remedia has accepted the alert.
 * It must throw when Remedia has not accepted the alert: then Zabbix shows why and tries again.
 */
var NAME = 'Remedia';
var PATH = '/api/v1/zabbix/alert';
/* As long as this, the list was cut, and a group that the policy denies may be missing: better no alert than a wrong one. */
var HOST_GROUPS_CAP = 4000;
/* Characters of a tag's value that Zabbix keeps. */
var LONGEST_TAG = 255;

function isSet(text) {
    return typeof text === 'string' && text !== '' && text.charAt(0) !== '{' && text !== '*UNKNOWN*';
}

function oneLine(text, max) {
    return String(text).replace(/[\x00-\x1f\x7f]+/g, ' ').substring(0, max);
}

function addressOf(url) {
    if (!isSet(url)) {
        throw 'parameter "url" is not filled in: give the address of Remedia, such as https://remedia.example.com'
            + ' (in the user\'s media it is "Send to"; in the Test window type it in, macros are not resolved there)';
    }
    if (!/^https?:\/\/[^\s\/]+/.test(url)) {
        throw 'parameter "url" is not an address that begins with http:// or https://';
    }
    url = url.replace(/\/+$/, '');
    return url.indexOf(PATH) === -1 ? url + PATH : url;
}

/* ASCII only, so that the bytes that are signed are the bytes that arrive, whatever happens to text on the way. */
function toAscii(json) {
    return json.replace(/[^\x20-\x7e]/g, function (character) {
        var code = character.charCodeAt(0);
        if (code > 0xffff) {
            code -= 0x10000;
            return hex(0xd800 + (code >> 10)) + hex(0xdc00 + (code & 0x3ff));
        }
        return hex(code);
    });
}

function hex(code) {
    return '\\u' + ('0000' + code.toString(16)).slice(-4);
}

function parse(text) {
    try {
        var parsed = JSON.parse(text);
        return parsed !== null && typeof parsed === 'object' ? parsed : {};
    }
    catch (error) {
        return {};
    }
}

/* Remedia says what is wrong as problem+json (RFC 9457): the person who looks at the failed alert should read it. */
function refusal(status, text) {
    var problem = parse(text),
        words = [],
        fields = problem.errors,
        i;

    if (problem.title) {
        words.push(problem.title);
    }
    if (problem.detail && problem.detail !== problem.title) {
        words.push(problem.detail);
    }
    if (Object.prototype.toString.call(fields) === '[object Array]') {
        for (i = 0; i < fields.length && i < 10; i++) {
            words.push(fields[i] && fields[i].field ? fields[i].field + ': expected ' + fields[i].expected : String(fields[i]));
        }
    }
    if (words.length === 0) {
        words.push(text ? text : 'no explanation');
    }
    if (status === 401) {
        words.push('compare the macros {$REMEDIA.TOKEN} and {$REMEDIA.SIGNING.KEY} with what Remedia was given'
            + ' (INTAKE_TOKENS, INTAKE_HMAC_KEY), and the clocks of both machines');
    }
    else if (status === 404) {
        words.push('is the address in "Send to" the address of Remedia?');
    }
    else if (status >= 300 && status < 400) {
        words.push('this address redirects; give the one that answers itself');
    }
    return 'HTTP ' + status + ': ' + oneLine(words.join('; '), 1500);
}

/* The link is signed, and Zabbix cuts what a tag cannot hold: half a signature opens nothing, a plain link asks for a token. */
function linkTag(link) {
    return link.length > LONGEST_TAG ? link.split('?')[0] : link;
}

function post(params) {
    var url = addressOf(params.url),
        test = String(params.event_id).indexOf('{EVENT.ID') === 0,
        request = new HttpRequest(),
        kept = { url: 1, token: 1, signing_key: 1, http_proxy: 1, mode: 1 },
        alert = {},
        tags = {},
        key, body, timestamp, text, status, answer;

    if (!isSet(params.token)) {
        throw 'parameter "token" is empty: define the global macro {$REMEDIA.TOKEN} (type "Secret text")'
            + ' with one of Remedia\'s INTAKE_TOKENS';
    }
    if (params.host_groups && params.host_groups.length >= HOST_GROUPS_CAP) {
        throw 'the host is in so many host groups that their names do not fit; Remedia takes no alert it sees in part';
    }

    for (key in params) {
        if (!kept[key]) {
            alert[key] = params[key];
        }
    }
    body = toAscii(JSON.stringify(alert));

    request.addHeader('Content-Type: application/json');
    request.addHeader('Authorization: Bearer ' + params.token);
    if (isSet(params.signing_key)) {
        timestamp = String(Math.floor(Date.now() / 1000));
        request.addHeader('X-Remedia-Timestamp: ' + timestamp);
        request.addHeader('X-Remedia-Signature: ' + hmac('sha256', params.signing_key, timestamp + '.' + body));
    }
    if (isSet(params.mode)) {
        request.addHeader('X-Remedia-Mode: ' + oneLine(params.mode, 20));
    }
    if (isSet(params.http_proxy)) {
        request.setProxy(params.http_proxy);
    }

    text = request.post(url, body);
    status = request.getStatus();
    if (status < 200 || status > 299) {
        throw refusal(status, text);
    }

    answer = parse(text);
    if (test) {
        if (answer.status !== 'test') {
            throw 'HTTP ' + status + ', but this is not the answer of Remedia; is the address right? ' + oneLine(text, 200);
        }
        return JSON.stringify({ tags: {}, test: 'Remedia answered: address, token and signature are right. Nothing was recorded.' });
    }
    if (typeof answer.status !== 'string') {
        throw 'HTTP ' + status + ', but this is not the answer of Remedia; is the address right? ' + oneLine(text, 200);
    }

    /* Once per event: the recovery's and the updates' tags would only repeat them. */
    if (answer.incidentId && String(params.event_tags).indexOf('"__remedia_incident"') === -1) {
        tags.__remedia_incident = String(answer.incidentId);
        tags.__remedia_link = answer.link
            ? linkTag(String(answer.link))
            : url.substring(0, url.indexOf(PATH)) + '/api/v1/incidents/' + answer.incidentId;
    }
    return JSON.stringify({ tags: tags });
}

try {
    return post(JSON.parse(value));
}
catch (error) {
    error = NAME + ' did not take the alert: ' + (error && error.message ? error.message : error);
    Zabbix.log(3, '[ ' + NAME + ' ] ' + error);
    throw error;
}
