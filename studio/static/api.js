/** The studio's JSON API, one function a request; a refusal carries the server's own words. */

/** What the server, or the way to it, refused. `status` 0 means that nothing answered. */
export class Refused extends Error {
  constructor(status, body) {
    super(body?.message ?? `The studio answered ${status} without a reason.`);
    this.status = status;
    this.body = body ?? {};
  }
}

async function send(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, { message: "The studio does not answer. Is its program still running?" });
  }
  const body = await response.json().catch(() => null);
  if (!response.ok) throw new Refused(response.status, body);
  return body ?? {};
}

/** Read a JSON document. */
export function get(path) {
  return send(path, { headers: { accept: "application/json" } });
}

function withBody(method) {
  return (path, body = {}) => send(path, {
    method,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

/** Send a JSON document and read the answer. */
export const post = withBody("POST");
/** Store values by name. */
export const put = withBody("PUT");
/** Change a part of a thing. */
export const patch = withBody("PATCH");
/** Remove a thing (softly: it can be restored). */
export const remove = withBody("DELETE");

/** Stream a file to `path`, telling `onProgress` the share that has been sent. */
export function upload(path, file, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    request.setRequestHeader("content-type", file.type || "application/octet-stream");
    request.responseType = "json";
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    };
    request.onload = () => {
      if (request.status < 300) resolve(request.response ?? {});
      else reject(new Refused(request.status, request.response));
    };
    request.onerror = () => reject(new Refused(0, { message: "The upload was interrupted." }));
    request.send(file);
  });
}
