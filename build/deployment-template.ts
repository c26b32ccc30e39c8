/** Puts image references into a deployment template, as IoT Edge's own tools do: `${MODULES.<name>}`. */

const PLACEHOLDER = /\$\{MODULES\.([A-Za-z0-9_-]+)(\.[A-Za-z0-9.]+)?\}/g;

/** The bundle an image of a template stands for; undefined = it is no placeholder. */
export function placeholderOf(image: string): string | undefined {
  const [match] = image.matchAll(PLACEHOLDER);
  return match?.[1];
}

/**
 * `${MODULES.filter}`, also with a platform (`${MODULES.filter.arm64v8}`), becomes the image of
 * `filter`. Other `${…}` stay as they are. Problems are sentences.
 */
export function fillTemplate(
  template: string,
  images: ReadonlyMap<string, string>,
  problems: string[],
): string {
  const filled = template.replace(PLACEHOLDER, (placeholder, name: string) => {
    const image = images.get(name);
    if (image !== undefined) return image;
    problems.push(
      `${placeholder} names no module that was bundled: there are ${[...images.keys()].join(', ') || 'none'}`,
    );
    return placeholder;
  });
  try {
    JSON.parse(filled);
  } catch (cause) {
    problems.push(`it is not JSON: ${(cause as Error).message}`);
  }
  return filled;
}
