/**
 * The poses of the cloud, one for each state: the outline of its body and the SVG shapes behind
 * it, on it and in front of it. Colours and animations are in cloud_style.js.
 */

/** Size of the canvas on which a pose is drawn, in SVG units. */
export const CANVAS = { width: 240, height: 210 };

/** View box of a pose as a picture: larger than the canvas, because parts of it reach further. */
export const IMAGE_BOX = "-12 -6 264 216";

/** The states that have a pose, in the order in which the page lists them. */
export const STATES = ["hugging", "punching", "shaking", "spinning", "throwing", "neutral", "notconnected"];

/** Outlines of the body, clockwise from the lower left. */
const BODIES = {
  plump:
    "M62 165C38 165 21 148 24 126C26 110 37 99 51 96C46 73 63 52 87 54C95 36 115 26 136 31C153 35 165 47 169 62C191 60 207 77 205 97C219 104 225 119 221 134C216 153 200 165 181 165C169 173 151 175 138 169C124 177 105 176 92 169C82 173 71 170 62 165Z",
  squeezed:
    "M66 168C44 170 25 153 27 130C29 113 40 101 53 97C47 72 64 50 89 52C97 33 117 24 138 29C155 33 166 46 169 61C190 60 204 77 202 97C215 105 220 121 216 137C211 156 196 169 177 168C166 176 150 178 138 172C124 180 107 179 94 172C84 176 74 174 66 168Z",
  dented:
    "M60 166C36 166 17 149 20 126C22 109 33 98 47 95C42 71 59 49 84 51C92 32 113 23 134 28C151 32 164 44 168 59C187 56 203 69 203 86C194 92 189 101 190 110C191 121 202 129 215 131C218 149 201 167 181 166C169 174 150 176 137 170C123 178 103 177 90 170C80 174 69 171 60 166Z",
  slumped:
    "M54 172C31 173 14 160 16 142C17 128 28 118 42 116C41 97 60 82 83 86C93 70 115 62 136 67C153 71 165 82 169 95C190 91 206 105 206 122C220 127 227 141 222 154C217 167 201 174 183 172C169 179 151 180 138 175C124 182 104 181 91 175C79 180 65 178 54 172Z",
};

/** The shadow on the underside of each body. */
const SHADE = {
  plump:
    "M62 165C46 165 32 157 26 144C44 158 66 156 78 150C96 164 122 164 138 154C158 164 178 160 190 150C204 152 214 146 220 137C215 154 199 165 181 165C169 173 151 175 138 169C124 177 105 176 92 169C82 173 71 170 62 165Z",
  squeezed:
    "M66 168C50 169 35 160 29 146C46 160 68 158 80 153C98 167 122 167 138 157C156 167 176 163 187 153C200 155 210 148 215 141C210 158 195 169 177 168C166 176 150 178 138 172C124 180 107 179 94 172C84 176 74 174 66 168Z",
  dented:
    "M60 166C43 166 29 157 22 143C41 158 64 157 76 151C94 165 120 165 136 155C156 165 178 161 189 151C201 152 210 145 214 139C212 154 199 167 181 166C169 174 150 176 137 170C123 178 103 177 90 170C80 174 69 171 60 166Z",
  slumped:
    "M54 172C37 173 23 166 18 154C38 166 62 164 76 159C94 171 120 170 136 162C156 171 178 167 190 159C205 161 215 156 222 151C217 167 201 174 183 172C169 179 151 180 138 175C124 182 104 181 91 175C79 180 65 178 54 172Z",
};

const CHEEKS = `<ellipse class="cheek" cx="76" cy="126" rx="12" ry="7.5"/><ellipse class="cheek" cx="164" cy="126" rx="12" ry="7.5"/>`;
const GLOSS = `<path class="gloss" d="M63 88C62 76 70 67 82 66M103 54C110 46 121 42 131 43"/>`;
const FEET = `<ellipse class="limb" cx="97" cy="172" rx="15" ry="10"/><ellipse class="limb" cx="145" cy="172" rx="15" ry="10"/>`;

/** @typedef {(x: number, y: number, scale: number, extra?: string) => string} Shape */

/** @type {Shape} */
const heart = (x, y, scale, extra = "") =>
  `<g transform="translate(${x} ${y}) scale(${scale})"><path class="heart ${extra}" d="M0 15C-20 1-20-15-9-17C-4-18-1-15 0-11C1-15 4-18 9-17C20-15 20 1 0 15Z"/></g>`;
/** @type {Shape} */
const star = (x, y, scale, extra = "") =>
  `<g transform="translate(${x} ${y}) scale(${scale})"><path class="star ${extra}" d="M0-11C1.5-4 4-1.5 11 0C4 1.5 1.5 4 0 11C-1.5 4-4 1.5-11 0C-4-1.5-1.5-4 0-11Z"/></g>`;
/** @type {(x: number, y: number, radius?: number) => string} */
const eye = (x, y, radius = 7.5) =>
  `<circle class="eye" cx="${x}" cy="${y}" r="${radius}"/><circle class="spark" cx="${x + 2.6}" cy="${y - 2.8}" r="2.6"/>`;
/** @type {(x: number, y: number) => string} */
const spiral = (x, y) =>
  `<g transform="translate(${x} ${y})"><path class="line dizzy" d="M0 0C1.5-2.5 5-1 4.5 2.5C4 6-2 7.5-5.5 4C-9.5 0-7-8 0-9.5C7-10.5 12-5 11.5 1.5"/></g>`;

/**
 * @typedef {object} Pose
 * @property {keyof typeof BODIES} body
 * @property {string} [back] shapes behind the cloud that do not move with it
 * @property {string} [behind] shapes behind its body that move with it
 * @property {string} face shapes on its body
 * @property {string} [front] shapes in front of the cloud
 */

/** The pose of each state. @type {Record<string, Pose>} */
export const POSES = {
  neutral: {
    body: "plump",
    behind: FEET + `<ellipse class="limb" cx="28" cy="140" rx="13" ry="10"/><ellipse class="limb" cx="214" cy="142" rx="13" ry="10"/>`,
    face:
      GLOSS + CHEEKS +
      `<g class="blink">${eye(93, 110)}${eye(147, 110)}</g>
       <path class="line" d="M110 121Q120 131 130 121"/>`,
  },
  hugging: {
    body: "squeezed",
    back: heart(38, 62, 0.75, "rise") + heart(207, 54, 0.95, "rise second") + heart(176, 30, 0.6, "rise third"),
    behind: FEET,
    face:
      GLOSS +
      `<ellipse class="cheek strong" cx="74" cy="117" rx="14" ry="9"/><ellipse class="cheek strong" cx="166" cy="117" rx="14" ry="9"/>
       <path class="line" d="M82 106Q92 93 102 106M138 106Q148 93 158 106"/>
       <path class="mouth" d="M108 113Q120 118 132 113Q130 128 120 128Q110 128 108 113Z"/>
       <g class="held">${heart(120, 151, 1.45, "big")}</g>
       <path class="arm-edge" d="M42 134C52 152 74 160 96 153M198 134C188 152 166 160 144 153"/>
       <path class="arm" d="M40 128C52 152 74 160 96 153M200 128C188 152 166 160 144 153"/>`,
  },
  punching: {
    body: "dented",
    behind: FEET + `<ellipse class="limb" cx="24" cy="120" rx="12" ry="11"/>`,
    face:
      GLOSS +
      `<g transform="translate(-10 0)">${CHEEKS}
       <path class="line" d="M84 101L98 109L84 117M148 101L134 109L148 117"/>
       <path class="line" d="M104 130Q109 122 114 128T124 127T134 130"/></g>
       <path class="drop" d="M52 62C46 70 47 77 53 77C59 77 59 70 52 62Z"/>`,
    front: `<g class="impact"><path class="burst" d="M181 84L190 96L205 87L203 104L220 108L205 117L211 133L195 127L185 141L180 125L163 128L172 114L158 104L174 102Z"/></g>
       <g class="glove"><path class="spring" d="M240 110L246 98L254 122L262 98L270 122L278 98L286 122L294 110"/><path class="cuff" d="M222 92L240 88V132L222 127Z"/>
       <path class="leather" d="M226 88C226 128 226 129 226 131C214 137 194 135 186 126C179 118 180 96 188 88C198 79 217 81 226 88Z"/>
       <path class="thumb" d="M194 93C203 86 215 89 216 98C216 106 206 108 198 105"/>
       <path class="glove-shine" d="M190 104C189 110 190 116 193 120"/></g>
       ${star(172, 66, 1, "fly")}${star(214, 62, 0.75, "fly second")}${star(208, 158, 0.85, "fly third")}`,
  },
  shaking: {
    body: "plump",
    back: `<path class="motion" d="M20 72Q11 84 17 96T12 122M8 84Q2 94 6 104"/>
       <path class="motion second" d="M222 70Q231 82 225 94T231 120M234 82Q239 92 236 102"/>
       <path class="motion" d="M70 32L62 22M96 20L92 9M152 16L157 6M180 34L190 25"/>`,
    behind: FEET + `<ellipse class="limb" cx="26" cy="118" rx="12" ry="12"/><ellipse class="limb" cx="218" cy="120" rx="12" ry="12"/>`,
    face:
      GLOSS + CHEEKS +
      `<circle class="white" cx="92" cy="106" r="14"/><circle class="white" cx="148" cy="106" r="14"/>
       <circle class="eye" cx="93" cy="107" r="4.5"/><circle class="eye" cx="147" cy="107" r="4.5"/>
       <path class="line" d="M77 88Q84 82 92 85M148 85Q156 82 163 88"/>
       <path class="mouth teeth" d="M101 129C101 124 104 123 107 123H133C136 123 139 124 139 129C139 135 136 137 133 137H107C104 137 101 135 101 129Z"/>
       <path class="line thin" d="M102 130L108 127L114 132L120 127L126 132L132 127L138 130"/>`,
  },
  spinning: {
    body: "plump",
    back: `<path class="swirl" d="M120 14A92 92 0 0 1 206 74"/><path class="swirl" d="M120 198A92 92 0 0 1 34 138"/>`,
    behind: FEET + `<ellipse class="limb" cx="25" cy="110" rx="15" ry="10"/><ellipse class="limb" cx="217" cy="112" rx="15" ry="10"/>`,
    face:
      GLOSS + CHEEKS + spiral(91, 108) + spiral(149, 108) +
      `<path class="line" d="M106 129Q111 122 116 128T126 128T135 126"/>`,
    front: `<g class="orbit">${star(120, 14, 0.9)}${star(202, 152, 1)}${star(36, 150, 0.75)}</g>`,
  },
  throwing: {
    body: "plump",
    back: `<path class="track" d="M8 198C16 164 34 134 64 112"/>
       <path class="speed" d="M-4 92L36 82"/><path class="speed second" d="M-12 120L30 110"/><path class="speed third" d="M46 178L86 168"/>`,
    behind:
      FEET +
      `<path class="limb" d="M36 112C18 104 10 84 20 76C31 69 46 82 52 98Z"/><path class="limb" d="M206 106C222 96 230 76 219 69C208 63 194 78 190 92Z"/>`,
    face:
      GLOSS + CHEEKS + eye(93, 104, 9) + eye(147, 104, 9) +
      `<path class="line" d="M80 88Q88 82 97 86M143 86Q152 82 160 88"/>
       <path class="mouth" d="M102 117Q120 123 138 117Q137 144 120 144Q103 144 102 117Z"/>
       <path class="tongue" d="M108 136Q120 126 132 136Q127 144 120 144Q113 144 108 136Z"/>`,
    front: star(206, 26, 0.9, "twinkle") + star(228, 66, 0.6, "twinkle second"),
  },
  notconnected: {
    body: "slumped",
    behind: `<ellipse class="limb" cx="95" cy="178" rx="16" ry="8"/><ellipse class="limb" cx="147" cy="178" rx="16" ry="8"/>`,
    face: `<path class="gloss" d="M56 116C56 106 63 99 74 98"/>
       <ellipse class="cheek" cx="74" cy="147" rx="11" ry="6"/><ellipse class="cheek" cx="162" cy="147" rx="11" ry="6"/>
       <path class="line" d="M80 133Q90 142 100 133M136 133Q146 142 156 133"/>
       <ellipse class="mouth" cx="118" cy="151" rx="4.5" ry="5"/>
       <path class="cap" d="M94 86C98 50 132 28 168 44C190 54 202 80 202 106C192 92 182 88 172 90C150 72 120 70 94 86Z"/>
       <path class="cap-stripe" d="M112 60C128 52 150 56 163 68M132 42C150 42 168 52 177 68"/>
       <path class="cap-brim edge" d="M91 89C114 68 151 70 171 95"/><path class="cap-brim" d="M91 89C114 68 151 70 171 95"/>
       <circle class="pompom" cx="203" cy="110" r="10.5"/>`,
    front: `<path class="snore" d="M192 40H208L192 58H208"/><path class="snore second" d="M213 20H225L213 34H225"/><path class="snore third" d="M227 2H236L227 12H236"/>`,
  },
};

/** The SVG source of a pose. @param {string} state */
export function svgSource(state, attributes = `viewBox="0 0 ${CANVAS.width} ${CANVAS.height}"`, style = "") {
  const { body, back = "", behind = "", face = "", front = "" } = POSES[state];
  return `<svg ${attributes} class="drawing" data-pose="${state}">${style}
  <defs>
    <linearGradient id="tone" x1="0.3" y1="0" x2="0.6" y2="1">
      <stop class="tone-top" offset="0.25"/>
      <stop class="tone-low" offset="1"/>
    </linearGradient>
  </defs>
  <ellipse class="ground" cx="120" cy="198" rx="58" ry="7"/>
  <g class="back">${back}</g>
  <g class="flight"><g class="figure">
    <g class="behind">${behind}</g>
    <path class="body" fill="url(#tone)" d="${BODIES[body]}"/>
    <path class="shade" d="${SHADE[body]}"/>
    <g class="face">${face}</g>
  </g></g>
  <g class="front">${front}</g>
</svg>`;
}
